//! A crate of a strict user, compiled in two editions: no lint may fire on what the macros write.

#![deny(
    warnings,
    missing_docs,
    unused,
    nonstandard_style,
    future_incompatible,
    rust_2018_idioms,
    rust_2021_compatibility,
    keyword_idents,
    let_underscore,
    missing_copy_implementations,
    missing_debug_implementations,
    non_ascii_idents,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unnameable_types,
    unreachable_pub,
    unused_crate_dependencies,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::time::Duration;

use dewar::{cached, entry, invalidate, invalidates};

/// Doubles.
#[cached(timeout = 60, key_prefix = "double:{id}", tags("doubles"))]
#[must_use]
pub fn double(id: u64) -> u64 {
    id * 2
}

/// Triples.
#[cached(timeout = Duration::from_secs(5), skip(by), cache_if = |value| *value > 0)]
pub async fn triple(id: u64, by: &str) -> Result<u64, String> {
    Ok(id * by.len() as u64)
}

/// Shows.
#[cached(timeout = "1m", unless = text.is_empty())]
pub fn shown<'a, T: Clone + Eq + std::hash::Hash + Send + Sync + 'static>(
    text: &'a str,
    other: &'a str,
    value: T,
) -> (String, T) {
    (text.to_owned() + other, value)
}

/// Names.
#[cached(batch = ids, skip(by), key_prefix = "names")]
pub async fn names(by: &str, ids: &[u64]) -> HashMap<u64, String> {
    ids.iter().map(|id| (*id, format!("{by}{id}"))).collect()
}

/// Old.
#[cached(timeout = 60)]
#[deprecated = "use `double`"]
pub fn old(id: u64) -> u64 {
    id
}

/// Repeats.
#[cached(timeout = 60)]
pub async fn fib(n: u64) -> u64 {
    match n {
        0 | 1 => n,
        _ => Box::pin(fib(n - 1)).await + Box::pin(fib(n - 2)).await,
    }
}

/// Users.
#[derive(Clone, Copy, Debug, Default)]
pub struct Users;

impl Users {
    /// Finds one.
    #[cached(timeout = 60, skip(self), cache_none)]
    pub async fn find(&self, id: u64) -> Option<u64> {
        (id > 0).then_some(id)
    }

    #[cached(timeout = 60)]
    fn count(of: u64) -> u64 {
        of
    }

    /// Changes one.
    ///
    /// # Errors
    /// Never.
    #[invalidates(self.find(id), double(id), tag = "doubles")]
    pub async fn change(&self, id: u64) -> Result<u64, String> {
        Ok(Self::count(id))
    }
}

/// Finds.
pub trait Find {
    /// Finds one.
    fn find_one(&self, id: u64) -> Option<u64>;
}

impl Find for Users {
    #[cached(timeout = 60, skip(self))]
    fn find_one(&self, id: u64) -> Option<u64> {
        (id > 0).then_some(id)
    }
}

mod inner {
    use dewar::cached;

    #[cached(timeout = 60)]
    pub(crate) fn hidden(id: u64) -> u64 {
        id
    }
}

/// Uses all.
pub async fn all() -> Option<u64> {
    drop(invalidate!(
        double(1),
        inner::hidden(1),
        Users::find,
        prefix = "double:1"
    ));
    let found = entry!(Users.find(inner::hidden(1))).get().await;
    found.flatten()
}
