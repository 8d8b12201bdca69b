//! Arguments → key.
//!
//! A key is the function's marker and its arguments, each a [`Part`]. In process it is exact: a
//! fast seeded hash finds the place, then the arguments are compared whole with the stored ones,
//! borrowed as they are. The owned form is made on a miss only.
//!
//! What lives here: how one argument takes part ([`part`], [`std_parts`], [`user_parts`], chosen by
//! [`probe`]), and the values in it ([`mod@inside`], [`several`]), how several arguments do
//! ([`Parts`]), and the erased keys that the memory tier and the flights hold. What does not: scopes
//! and prefixes (`scope`), and where a key is looked up (`memory`, `engine::flights`).

pub(crate) mod canonical;
mod inside;
mod part;
mod probe;
mod several;
mod shown;
pub(crate) mod stable;
mod std_parts;
mod user_parts;

pub use inside::inside;
pub(crate) use part::{Part, Parts};
pub use probe::{CacheKey, ComparedKey, arg, borrowed};
pub(crate) use shown::shown;
#[cfg(any(feature = "stores", feature = "tower"))]
pub(crate) use stable::Stable;
#[cfg(feature = "axum")]
pub(crate) use user_parts::{
    EqPart, HashPart, SerdePart, eq_part, eq_serde_part, hash_part, serde_part,
};

use std::any::{Any, TypeId};
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::OnceLock;

/// An owned key whose arguments' types are known.
#[derive(Clone)]
pub(crate) struct OwnedKey<K> {
    pub(crate) hash: u64,
    pub(crate) marker: TypeId,
    pub(crate) parts: K,
}

/// An owned key whose arguments' types are forgotten.
pub(crate) trait AnyKey: Send + Sync {
    fn hash(&self) -> u64;
    fn marker(&self) -> TypeId;
    /// What it is made of, for keys of the same kind to compare with theirs.
    fn parts(&self) -> &dyn Any;
    /// Whether the other key is of the same function and the same arguments.
    fn same(&self, other: &dyn AnyKey) -> bool;
}

impl<K: Eq + Send + Sync + 'static> AnyKey for OwnedKey<K> {
    fn hash(&self) -> u64 {
        self.hash
    }

    fn marker(&self) -> TypeId {
        self.marker
    }

    fn parts(&self) -> &dyn Any {
        &self.parts
    }

    fn same(&self, other: &dyn AnyKey) -> bool {
        self.hash == other.hash()
            && self.marker == other.marker()
            && other.parts().downcast_ref() == Some(&self.parts)
    }
}

impl PartialEq for dyn AnyKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        // Most are looked up by what was put there.
        std::ptr::addr_eq(self, other) || self.same(other)
    }
}

impl Eq for dyn AnyKey + '_ {}

impl Hash for dyn AnyKey + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(AnyKey::hash(self));
    }
}

/// The hash of a call in this process.
pub(crate) fn hash(marker: TypeId, parts: &impl Parts) -> u64 {
    static SEED: OnceLock<foldhash::fast::RandomState> = OnceLock::new();
    let mut hasher = SEED.get_or_init(Default::default).build_hasher();
    marker.hash(&mut hasher);
    parts.hash(&mut hasher);
    hasher.finish()
}

/// Any number, for spreading things out.
pub(crate) fn random() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    static SEED: OnceLock<foldhash::quality::RandomState> = OnceLock::new();
    let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    SEED.get_or_init(Default::default).hash_one(next)
}

#[cfg(test)]
mod tests;
