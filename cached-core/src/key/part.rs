//! One argument as part of a key, and several of them.

use std::hash::Hasher;

use super::stable::Stable;

/// An argument as part of a key: hashed and compared where it is, owned only on a miss.
///
/// `hash` and `matches` must agree as `Hash` and `Eq` do: what matches hashes the same.
pub trait Part {
    /// What a stored key holds of it.
    type Owned: Clone + Eq + Send + Sync + 'static;

    /// Feeds the value to a hasher.
    fn hash<H: Hasher>(&self, hasher: &mut H);

    /// Whether the stored value is equal to this one.
    fn matches(&self, owned: &Self::Owned) -> bool;

    /// The value to store.
    fn own(&self) -> Self::Owned;

    /// The value for a key on a shared store: the same in every process of one build.
    fn stable(&self, out: &mut Stable) {
        self.hash(out);
    }

    /// How many bytes the stored value has on the heap, as far as its type tells.
    fn heap(_owned: &Self::Owned) -> usize {
        0
    }
}

/// Any number of parts, as nested pairs: `(a, (b, ()))`.
pub trait Parts {
    /// What a stored key holds of them.
    type Owned: Clone + Eq + Send + Sync + 'static;

    /// Feeds all values to a hasher, each set off from the next.
    fn hash<H: Hasher>(&self, hasher: &mut H);

    /// Whether all stored values are equal to these.
    fn matches(&self, owned: &Self::Owned) -> bool;

    /// The values to store.
    fn own(&self) -> Self::Owned;

    /// The values for a key on a shared store, each with its length.
    fn stable(&self, out: &mut Stable);

    /// How many bytes all stored values have on the heap, as far as their types tell.
    fn heap(owned: &Self::Owned) -> usize;
}

impl Parts for () {
    type Owned = ();

    #[inline]
    fn hash<H: Hasher>(&self, _hasher: &mut H) {}

    #[inline]
    fn matches(&self, (): &()) -> bool {
        true
    }

    fn own(&self) {}

    fn stable(&self, _out: &mut Stable) {}

    fn heap((): &()) -> usize {
        0
    }
}

impl<A: Part, B: Parts> Parts for (A, B) {
    type Owned = (A::Owned, B::Owned);

    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.hash(hasher);
        self.1.hash(hasher);
    }

    #[inline]
    fn matches(&self, owned: &Self::Owned) -> bool {
        self.0.matches(&owned.0) && self.1.matches(&owned.1)
    }

    fn own(&self) -> Self::Owned {
        (self.0.own(), self.1.own())
    }

    fn stable(&self, out: &mut Stable) {
        out.part(|out| self.0.stable(out));
        self.1.stable(out);
    }

    fn heap(owned: &Self::Owned) -> usize {
        A::heap(&owned.0) + B::heap(&owned.1)
    }
}
