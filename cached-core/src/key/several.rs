//! Parts with many values inside: lists, sets and maps, whatever a value inside takes part by.
//!
//! A list counts in its order. A set and a map count without one: the hashes of the elements are
//! added up, and the stored elements lie sorted by theirs, so that each is found without a search
//! through all of them.

use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use super::Part;
use super::stable::Stable;

/// Values in an order: what gives them, and what makes a part of one.
pub struct Ordered<I, F>(pub(super) I, pub(super) F);

impl<I, P, F> Part for Ordered<I, F>
where
    I: ExactSizeIterator + Clone,
    P: Part,
    F: Fn(I::Item) -> P,
{
    type Owned = Box<[P::Owned]>;

    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_usize(self.0.len());
        self.0.clone().for_each(|item| self.1(item).hash(hasher));
    }

    #[inline]
    fn matches(&self, owned: &Self::Owned) -> bool {
        self.0.len() == owned.len()
            && self
                .0
                .clone()
                .zip(owned)
                .all(|(item, owned)| self.1(item).matches(owned))
    }

    fn own(&self) -> Self::Owned {
        self.0.clone().map(|item| self.1(item).own()).collect()
    }

    fn stable(&self, out: &mut Stable) {
        out.write_usize(self.0.len());
        self.0.clone().for_each(|item| self.1(item).stable(out));
    }

    fn heap(owned: &Self::Owned) -> usize {
        list_heap::<P>(owned)
    }
}

/// How many bytes the values of a list have on the heap.
pub(super) fn list_heap<P: Part>(owned: &[P::Owned]) -> usize {
    size_of_val(owned) + owned.iter().map(P::heap).sum::<usize>()
}

/// Values in no order, no two of them equal.
pub struct Unordered<I, F>(pub(super) I, pub(super) F);

/// The stored values of an [`Unordered`], sorted by their hashes.
#[derive(Clone, Debug)]
pub struct Sorted<T>(Box<[(u64, T)]>);

impl<T> Sorted<T> {
    /// Whether there is a value with this hash that fits.
    fn has(&self, hash: u64, fits: impl Fn(&T) -> bool) -> bool {
        let first = self.0.partition_point(|(other, _)| *other < hash);
        (self.0[first..].iter())
            .take_while(|(other, _)| *other == hash)
            .any(|(_, value)| fits(value))
    }
}

impl<T: PartialEq> PartialEq for Sorted<T> {
    fn eq(&self, other: &Self) -> bool {
        let found = |(hash, value): &(u64, T)| other.has(*hash, |other| value == other);
        self.0.len() == other.0.len() && self.0.iter().all(found)
    }
}

impl<T: Eq> Eq for Sorted<T> {}

/// The hash of one value among others.
fn hash(part: &impl Part) -> u64 {
    static SEED: OnceLock<foldhash::quality::RandomState> = OnceLock::new();
    let mut hasher = SEED.get_or_init(Default::default).build_hasher();
    part.hash(&mut hasher);
    hasher.finish()
}

impl<I, P, F> Part for Unordered<I, F>
where
    I: ExactSizeIterator + Clone,
    P: Part,
    F: Fn(I::Item) -> P,
{
    type Owned = Sorted<P::Owned>;

    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let items = self.0.clone();
        hasher.write_usize(items.len());
        hasher.write_u64(items.fold(0, |sum, item| sum.wrapping_add(hash(&self.1(item)))));
    }

    fn matches(&self, owned: &Self::Owned) -> bool {
        let found = |item| {
            let part = self.1(item);
            owned.has(hash(&part), |owned| part.matches(owned))
        };
        self.0.len() == owned.0.len() && self.0.clone().all(found)
    }

    fn own(&self) -> Self::Owned {
        let own = |item| {
            let part = self.1(item);
            (hash(&part), part.own())
        };
        let mut all: Box<[_]> = self.0.clone().map(own).collect();
        all.sort_by_key(|(hash, _)| *hash);
        Sorted(all)
    }

    /// Sorted by their bytes, which are the same in every process; the hashes are not.
    fn stable(&self, out: &mut Stable) {
        let bytes = |item| {
            let mut bytes = Stable::default();
            bytes.part(|out| self.1(item).stable(out));
            bytes
        };
        let mut all: Vec<Stable> = self.0.clone().map(bytes).collect();
        all.sort();
        out.write_usize(all.len());
        all.iter().for_each(|bytes| out.append(bytes));
    }

    fn heap(owned: &Self::Owned) -> usize {
        sorted_heap::<P>(owned)
    }
}

/// How many bytes the values of a set have on the heap.
pub(super) fn sorted_heap<P: Part>(owned: &Sorted<P::Owned>) -> usize {
    let inside = owned.0.iter().map(|(_, value)| P::heap(value));
    size_of_val(&*owned.0) + inside.sum::<usize>()
}
