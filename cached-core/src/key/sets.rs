//! `HashSet` and `HashMap`: whatever the order in which they give what they hold.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::OnceLock;

use serde_core::Serialize;

use super::probe::ByRefSerde;
use super::stable::Stable;
use super::{Part, canonical};

/// A `HashSet` or `HashMap` of what is `Hash + Eq` and can be owned.
pub struct BySetEq<'a, T: ?Sized>(pub(super) &'a T, pub(super) BySet<'a, T>);

/// A `HashSet` of what can be serialised only.
pub struct BySet<'a, T: ?Sized>(pub(super) &'a T, pub(super) ByRefSerde<'a, T>);

/// A set, or none, compared by the canonical bytes of its elements.
pub struct SetPart<'a, T, S>(Option<&'a HashSet<T, S>>);

macro_rules! serialised {
    ($($t:ty, $this:ident => $set:expr);* $(;)?) => {$(
        impl<'a, T: Serialize, S> BySet<'a, $t> {
            /// By the elements.
            pub fn part(&self) -> SetPart<'a, T, S> {
                let $this = self.0;
                SetPart($set)
            }
        }
    )*};
}

serialised! {
    HashSet<T, S>, set => Some(set);
    &'a HashSet<T, S>, set => Some(set);
    Option<HashSet<T, S>>, set => set.as_ref();
    Option<&'a HashSet<T, S>>, set => *set;
}

impl<T: Serialize, S> Part for SetPart<'_, T, S> {
    type Owned = Option<canonical::Bytes>;

    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Hash::hash(&self.own(), hasher);
    }

    fn matches(&self, owned: &Self::Owned) -> bool {
        self.own() == *owned
    }

    fn own(&self) -> Self::Owned {
        self.0.map(|set| canonical::set_bytes(set.iter()))
    }

    fn heap(owned: &Self::Owned) -> usize {
        owned.as_ref().map_or(0, canonical::Bytes::len)
    }

    fn stable(&self, out: &mut Stable) {
        out.bytes(&[u8::from(self.0.is_some())]);
        if let Some(bytes) = self.own() {
            bytes.stable(out);
        }
    }
}

/// A set, or none, compared with `Eq`.
pub struct EqSetPart<'a, T, S>(Option<&'a HashSet<T, S>>);

/// A map, or none, compared with `Eq`.
pub struct EqMapPart<'a, K, V, S>(Option<&'a HashMap<K, V, S>>);

/// The hash of one element; their sum is that of all, in whatever order.
fn one(element: &impl Hash) -> u64 {
    static SEED: OnceLock<foldhash::quality::RandomState> = OnceLock::new();
    SEED.get_or_init(Default::default).hash_one(element)
}

fn sum<H: Hasher>(elements: Option<impl Iterator<Item = impl Hash>>, hasher: &mut H) {
    let Some(elements) = elements else {
        return hasher.write_u8(0);
    };
    let (mut count, mut sum) = (0_usize, 0_u64);
    for element in elements {
        count += 1;
        sum = sum.wrapping_add(one(&element));
    }
    hasher.write_usize(count + 1);
    hasher.write_u64(sum);
}

/// The same for a shared store: what each element tells a hasher, sorted.
fn sorted(elements: Option<impl Iterator<Item = impl Hash>>, out: &mut Stable) {
    out.bytes(&[u8::from(elements.is_some())]);
    let mut all: Vec<Vec<u8>> = (elements.into_iter().flatten())
        .map(|element| {
            let mut one = Stable::default();
            element.hash(&mut one);
            one.into_bytes()
        })
        .collect();
    all.sort_unstable();
    all.iter().for_each(|one| out.part(|out| out.bytes(one)));
}

macro_rules! by_eq {
    ($([$($g:tt)*] $t:ty, $part:ty, $this:ident => $all:expr);* $(;)?) => {$(
        impl<'a, $($g)*, S: BuildHasher> BySetEq<'a, $t>
        where
            K: Hash + Eq + Clone + Send + Sync + 'static,
        {
            /// By the elements.
            #[inline]
            pub fn part(&self) -> $part {
                let $this = self.0;
                $all
            }
        }
    )*};
}

by_eq! {
    [K] HashSet<K, S>, EqSetPart<'a, K, S>, set => EqSetPart(Some(set));
    [K] &'a HashSet<K, S>, EqSetPart<'a, K, S>, set => EqSetPart(Some(set));
    [K] Option<HashSet<K, S>>, EqSetPart<'a, K, S>, set => EqSetPart(set.as_ref());
    [K] Option<&'a HashSet<K, S>>, EqSetPart<'a, K, S>, set => EqSetPart(*set);
    [K, V: Hash + Eq + Clone + Send + Sync + 'static] HashMap<K, V, S>, EqMapPart<'a, K, V, S>, map => EqMapPart(Some(map));
    [K, V: Hash + Eq + Clone + Send + Sync + 'static] &'a HashMap<K, V, S>, EqMapPart<'a, K, V, S>, map => EqMapPart(Some(map));
    [K, V: Hash + Eq + Clone + Send + Sync + 'static] Option<HashMap<K, V, S>>, EqMapPart<'a, K, V, S>, map => EqMapPart(map.as_ref());
    [K, V: Hash + Eq + Clone + Send + Sync + 'static] Option<&'a HashMap<K, V, S>>, EqMapPart<'a, K, V, S>, map => EqMapPart(*map);
}

impl<T, S: BuildHasher> Part for EqSetPart<'_, T, S>
where
    T: Hash + Eq + Clone + Send + Sync + 'static,
{
    type Owned = Option<HashSet<T>>;

    fn hash<H: Hasher>(&self, hasher: &mut H) {
        sum(self.0.map(HashSet::iter), hasher);
    }

    fn matches(&self, owned: &Self::Owned) -> bool {
        match (self.0, owned) {
            (Some(set), Some(owned)) => {
                set.len() == owned.len() && owned.iter().all(|element| set.contains(element))
            }
            (None, None) => true,
            _ => false,
        }
    }

    fn own(&self) -> Self::Owned {
        self.0.map(|set| set.iter().cloned().collect())
    }

    fn stable(&self, out: &mut Stable) {
        sorted(self.0.map(HashSet::iter), out);
    }
}

impl<K, V, S: BuildHasher> Part for EqMapPart<'_, K, V, S>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Hash + Eq + Clone + Send + Sync + 'static,
{
    type Owned = Option<HashMap<K, V>>;

    fn hash<H: Hasher>(&self, hasher: &mut H) {
        sum(self.0.map(HashMap::iter), hasher);
    }

    fn matches(&self, owned: &Self::Owned) -> bool {
        match (self.0, owned) {
            (Some(map), Some(owned)) => {
                let same = |(key, value)| map.get(key) == Some(value);
                map.len() == owned.len() && owned.iter().all(same)
            }
            (None, None) => true,
            _ => false,
        }
    }

    fn own(&self) -> Self::Owned {
        self.0
            .map(|map| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    fn stable(&self, out: &mut Stable) {
        sorted(self.0.map(HashMap::iter), out);
    }
}
