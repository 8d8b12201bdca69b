//! Attributes, documentation and visibility stay as they are, and no lint of the user's fires.

#![deny(
    warnings,
    unused,
    nonstandard_style,
    rust_2018_idioms,
    let_underscore,
    missing_debug_implementations,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    unsafe_code,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    unused_import_braces,
    variant_size_differences
)]

use dewar::{cached, entry, invalidate, invalidates};

/// Doubles.
#[inline]
#[must_use = "it does nothing else"]
#[cached(timeout = 60, key_prefix = "double:{id}", tags("doubles"))]
pub(crate) fn double(id: u64) -> u64 {
    id * 2
}

#[cached(timeout = 60)]
#[doc(alias = "thrice")]
#[must_use]
pub(super) async fn triple(id: u64) -> u64 {
    id * 3
}

#[cached(timeout = 60)]
#[deprecated = "use `double`"]
fn old(id: u64) -> u64 {
    id
}

#[cfg(not(test))]
#[cached(timeout = 60)]
fn elsewhere(id: Missing) -> u64 {
    id
}

#[cached(timeout = 60)]
#[cfg(test)]
fn here(id: u64) -> u64 {
    id
}

#[cached(timeout = 60)]
#[allow(clippy::too_many_arguments)]
fn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8 {
    a + b + c + d + e + f + g + h
}

#[cached(timeout = 60)]
#[expect(unused_variables, reason = "a test")]
fn expected(id: u64, unused: u64) -> u64 {
    id
}

#[invalidates(double(id), tag = "doubles", prefix = "double:{id}")]
#[must_use]
fn change(id: u64) -> Result<u64, String> {
    Ok(id)
}

struct Repo;

impl Repo {
    /// Doubles.
    #[cached(timeout = 60, skip(self))]
    #[inline]
    pub(crate) fn double(&self, id: u64) -> u64 {
        id * 2
    }

    #[cached(timeout = 60, skip(self))]
    async fn triple(&self, id: u64) -> u64 {
        id * 3
    }
}

#[test]
fn all_of_them() {
    assert_eq!(double(2), 4);
    assert_eq!(futures::executor::block_on(triple(2)), 6);
    assert_eq!(here(1), 1);
    assert_eq!(many(1, 1, 1, 1, 1, 1, 1, 1), 8);
    assert_eq!(expected(1, 2), 1);
    assert_eq!(change(1), Ok(1));
    assert_eq!(Repo.double(2), 4);
    assert_eq!(futures::executor::block_on(Repo.triple(2)), 6);
    #[expect(deprecated)]
    let found = old(1);
    assert_eq!(found, 1);
}

#[test]
fn an_invalidation_may_be_left_alone() {
    drop(invalidate!(double(1), tag = "doubles"));
    assert_eq!(entry!(double(1)).get(), None);
}
