//! The users' types as parts of keys, each by what it can do.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::ptr;
use std::sync::OnceLock;

use serde_core::Serialize;

use super::stable::Stable;
use super::{Part, canonical};

/// A part compared with `Eq`.
pub struct EqPart<'a, T: ?Sized>(pub(super) &'a T, pub(super) fn(&T, &mut Stable));

impl<T: ?Sized> Part for EqPart<'_, T>
where
    T: Hash + Eq + ToOwned,
    T::Owned: Clone + Eq + Send + Sync + 'static,
{
    type Owned = T::Owned;

    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Hash::hash(self.0, hasher);
    }

    #[inline]
    fn matches(&self, owned: &Self::Owned) -> bool {
        let owned: &T = owned.borrow();
        self.0 == owned
    }

    fn own(&self) -> Self::Owned {
        self.0.to_owned()
    }

    fn heap(owned: &Self::Owned) -> usize {
        let value: &T = owned.borrow();
        match ptr::addr_eq(value, owned) {
            true => heap_of(value),
            // All of it: `Box<T>` of a type without a size.
            false => size_of_val(value) + heap_of(value),
        }
    }

    fn stable(&self, out: &mut Stable) {
        out.part(|out| (self.1)(self.0, out));
    }
}

/// By its serialised bytes and by what its `Hash` says, as either may leave something out.
pub(super) fn by_both<T: Hash + Serialize + ?Sized>(value: &T, out: &mut Stable) {
    out.part(|out| canonical::bytes(value).stable(out));
    value.hash(out);
}

/// By what its `Hash` says, which may be the number of a thing in this process, or leave out what
/// tells two values apart: other processes cannot go by that.
pub(super) fn by_hash<T: Hash + ?Sized>(value: &T, out: &mut Stable) {
    value.hash(out);
    out.stays_here();
}

/// How many bytes a value has beside its own size, as far as its `Hash` tells: a text in it is
/// hashed byte by byte.
fn heap_of<T: Hash + ?Sized>(value: &T) -> usize {
    let mut counted = Count(0);
    value.hash(&mut counted);
    counted.0.saturating_sub(size_of_val(value))
}

/// Counts the bytes that it is given.
struct Count(usize);

impl Hasher for Count {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }

    fn finish(&self) -> u64 {
        self.0 as u64
    }
}

/// An optional reference compared with `Eq`.
pub struct OptionPart<'a, T>(pub(super) Option<&'a T>, pub(super) fn(&T, &mut Stable));

impl<T: Hash + Eq + Clone + Send + Sync + 'static> Part for OptionPart<'_, T> {
    type Owned = Option<T>;

    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.hash(hasher);
    }

    fn matches(&self, owned: &Option<T>) -> bool {
        self.0 == owned.as_ref()
    }

    fn own(&self) -> Option<T> {
        self.0.cloned()
    }

    fn stable(&self, out: &mut Stable) {
        out.write_u8(u8::from(self.0.is_some()));
        if let Some(value) = self.0 {
            (self.1)(value, out);
        }
    }

    fn heap(owned: &Option<T>) -> usize {
        owned.as_ref().map_or(0, heap_of)
    }
}

/// A set compared by the canonical bytes of its elements, in whatever order it gives them.
pub struct SetPart<'a, T, S>(pub(super) &'a HashSet<T, S>);

impl<T: Serialize, S> Part for SetPart<'_, T, S> {
    type Owned = canonical::Bytes;

    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Hash::hash(&self.own(), hasher);
    }

    fn matches(&self, owned: &Self::Owned) -> bool {
        self.own() == *owned
    }

    fn own(&self) -> Self::Owned {
        canonical::set_bytes(self.0.iter())
    }

    fn heap(owned: &Self::Owned) -> usize {
        owned.len()
    }

    fn stable(&self, out: &mut Stable) {
        self.own().stable(out);
    }
}

/// A part compared by its canonical serialised bytes.
pub struct SerdePart<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Serialize + ?Sized> Part for SerdePart<'_, T> {
    type Owned = canonical::Bytes;

    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Hash::hash(&canonical::bytes(self.0), hasher);
    }

    fn matches(&self, owned: &Self::Owned) -> bool {
        canonical::bytes(self.0) == *owned
    }

    fn own(&self) -> Self::Owned {
        canonical::bytes(self.0)
    }

    fn heap(owned: &Self::Owned) -> usize {
        owned.len()
    }

    fn stable(&self, out: &mut Stable) {
        self.own().stable(out);
    }
}

/// A part that can neither be compared nor serialised: a keyed digest of 128 bits stands for it.
pub struct HashPart<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Hash + ?Sized> Part for HashPart<'_, T> {
    type Owned = [u64; 2];

    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Hash::hash(self.0, hasher);
    }

    fn matches(&self, owned: &Self::Owned) -> bool {
        self.own() == *owned
    }

    fn own(&self) -> Self::Owned {
        static SEEDS: OnceLock<[RandomState; 2]> = OnceLock::new();
        let seeds = SEEDS.get_or_init(|| [RandomState::new(), RandomState::new()]);
        [seeds[0].hash_one(self.0), seeds[1].hash_one(self.0)]
    }

    fn stable(&self, out: &mut Stable) {
        out.part(|out| by_hash(self.0, out));
    }
}

/// A part compared with `Eq` that other processes know as well, for other ways of asking.
#[cfg(feature = "axum")]
pub(crate) fn eq_serde_part<T: Hash + Serialize>(value: &T) -> EqPart<'_, T> {
    EqPart(value, by_both)
}

/// A part compared with `Eq`, for other ways of asking.
#[cfg(feature = "axum")]
pub(crate) fn eq_part<T: Hash>(value: &T) -> EqPart<'_, T> {
    EqPart(value, by_hash)
}

/// A part compared by its canonical serialised bytes, for other ways of asking.
#[cfg(feature = "axum")]
pub(crate) fn serde_part<T: Serialize>(value: &T) -> SerdePart<'_, T> {
    SerdePart(value)
}

/// A part that a keyed digest stands for, for other ways of asking.
#[cfg(feature = "axum")]
pub(crate) fn hash_part<T: Hash>(value: &T) -> HashPart<'_, T> {
    HashPart(value)
}
