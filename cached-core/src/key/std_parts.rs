//! The standard library's types as parts of keys, whatever they borrow.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::Part;
use super::several::{self, Ordered, Sorted, Unordered};
use super::stable::Stable;

/// Types that are stored as they are.
macro_rules! plain {
    ($($t:ty),* $(,)?) => {$(
        impl Part for $t {
            type Owned = $t;
            #[inline]
            fn hash<H: Hasher>(&self, hasher: &mut H) { Hash::hash(self, hasher) }
            #[inline]
            fn matches(&self, owned: &$t) -> bool { self == owned }
            #[inline]
            fn own(&self) -> $t { self.clone() }
        }
    )*};
}

plain!(
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    bool,
    char,
    ()
);
plain!(
    NonZero<u8>,
    NonZero<u16>,
    NonZero<u32>,
    NonZero<u64>,
    NonZero<usize>
);
plain!(
    NonZero<i8>,
    NonZero<i16>,
    NonZero<i32>,
    NonZero<i64>,
    NonZero<isize>
);
plain!(Duration, SystemTime);
plain!(IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, std::cmp::Ordering);

impl Part for Instant {
    type Owned = Instant;

    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Hash::hash(self, hasher);
    }

    #[inline]
    fn matches(&self, owned: &Instant) -> bool {
        self == owned
    }

    #[inline]
    fn own(&self) -> Instant {
        *self
    }

    /// It counts from when this machine was started.
    fn stable(&self, out: &mut Stable) {
        Hash::hash(self, out);
        out.stays_here();
    }
}

/// Floats count by value: `-0.0` is `0.0`, and every NaN is the same NaN.
macro_rules! floats {
    ($($t:ty => $bits:ty),*) => {$(
        impl Part for $t {
            type Owned = $bits;
            #[inline]
            fn hash<H: Hasher>(&self, hasher: &mut H) { Hash::hash(&self.own(), hasher) }
            #[inline]
            fn matches(&self, owned: &$bits) -> bool { self.own() == *owned }
            #[inline]
            fn own(&self) -> $bits {
                if self.is_nan() { <$t>::NAN.to_bits() } else { (*self + 0.0).to_bits() }
            }
        }
    )*};
}

floats!(f32 => u32, f64 => u64);

impl Part for str {
    type Owned = Box<str>;

    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Hash::hash(self, hasher);
    }

    #[inline]
    fn matches(&self, owned: &Box<str>) -> bool {
        // A look at no bytes at all costs some `memcmp`s a hundred nanoseconds: they mask a fault.
        self.len() == owned.len() && (self.is_empty() || *self == **owned)
    }

    fn own(&self) -> Box<str> {
        self.into()
    }

    fn heap(owned: &Box<str>) -> usize {
        owned.len()
    }
}

impl Part for Path {
    type Owned = PathBuf;

    /// Piece by piece: what `Path` itself tells a hasher can be the same for two paths, and on a
    /// shared store that would be one key.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_usize(self.components().count());
        self.components().for_each(|piece| piece.hash(hasher));
    }

    fn matches(&self, owned: &PathBuf) -> bool {
        self == owned.as_path()
    }

    fn own(&self) -> PathBuf {
        self.to_path_buf()
    }

    fn heap(owned: &PathBuf) -> usize {
        owned.as_os_str().len()
    }
}

/// Pointers that count by what they point to.
macro_rules! pointers {
    ($([$($generics:tt)*] $t:ty => $target:ty),* $(,)?) => {$(
        impl<$($generics)*> Part for $t {
            type Owned = <$target as Part>::Owned;
            #[inline]
            fn hash<H: Hasher>(&self, hasher: &mut H) { <$target as Part>::hash(&**self, hasher) }
            #[inline]
            fn matches(&self, owned: &<$target as Part>::Owned) -> bool {
                <$target as Part>::matches(&**self, owned)
            }
            #[inline]
            fn own(&self) -> <$target as Part>::Owned { <$target as Part>::own(&**self) }
            fn stable(&self, out: &mut Stable) { <$target as Part>::stable(&**self, out) }
            fn heap(owned: &<$target as Part>::Owned) -> usize { <$target as Part>::heap(owned) }
        }
    )*};
}

pointers!(
    [T: Part + ?Sized] &T => T,
    [T: Part + ?Sized] Box<T> => T,
    [T: Part + ?Sized] Rc<T> => T,
    [T: Part + ?Sized] Arc<T> => T,
    [T: Part + ToOwned + ?Sized] Cow<'_, T> => T,
    [T: Part] Vec<T> => [T],
    [] PathBuf => Path,
    [] String => str,
);

/// Containers that count by the values inside, in their order or without one.
macro_rules! containers {
    ($([$($generics:tt)*] $t:ty => $kind:ident as $owned:ty, $heap:ident of $item:ty);* $(;)?) => {$(
        impl<$($generics)*> Part for $t {
            type Owned = $owned;
            #[inline]
            fn hash<H: Hasher>(&self, hasher: &mut H) { $kind(self.iter(), |it| it).hash(hasher) }
            #[inline]
            fn matches(&self, owned: &$owned) -> bool {
                $kind(self.iter(), |it| it).matches(owned)
            }
            fn own(&self) -> $owned { $kind(self.iter(), |it| it).own() }
            fn stable(&self, out: &mut Stable) { $kind(self.iter(), |it| it).stable(out) }
            fn heap(owned: &$owned) -> usize { several::$heap::<$item>(owned) }
        }
    )*};
}

containers!(
    [T: Part] [T] => Ordered as Box<[T::Owned]>, list_heap of T;
    [T: Part, const N: usize] [T; N] => Ordered as Box<[T::Owned]>, list_heap of T;
    [T: Part] VecDeque<T> => Ordered as Box<[T::Owned]>, list_heap of T;
    [T: Part] BTreeSet<T> => Ordered as Box<[T::Owned]>, list_heap of T;
    [T: Part, S] HashSet<T, S> => Unordered as Sorted<T::Owned>, sorted_heap of T;
    [K: Part, V: Part] BTreeMap<K, V> => Ordered as Box<[(K::Owned, V::Owned)]>, list_heap of (K, V);
    [K: Part, V: Part, S] HashMap<K, V, S> => Unordered as Sorted<(K::Owned, V::Owned)>, sorted_heap of (K, V);
);

impl<T: Part> Part for Option<T> {
    type Owned = Option<T::Owned>;

    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u8(u8::from(self.is_some()));
        if let Some(part) = self {
            part.hash(hasher);
        }
    }

    #[inline]
    fn matches(&self, owned: &Self::Owned) -> bool {
        match (self, owned) {
            (Some(part), Some(owned)) => part.matches(owned),
            (None, None) => true,
            _ => false,
        }
    }

    fn own(&self) -> Self::Owned {
        self.as_ref().map(Part::own)
    }

    fn stable(&self, out: &mut Stable) {
        out.write_u8(u8::from(self.is_some()));
        if let Some(part) = self {
            part.stable(out);
        }
    }

    fn heap(owned: &Self::Owned) -> usize {
        owned.as_ref().map_or(0, T::heap)
    }
}

macro_rules! tuples {
    ($(($($t:ident $n:tt),+)),*) => {$(
        impl<$($t: Part),+> Part for ($($t,)+) {
            type Owned = ($($t::Owned,)+);
            #[inline]
            fn hash<H: Hasher>(&self, hasher: &mut H) { $(self.$n.hash(hasher);)+ }
            #[inline]
            fn matches(&self, owned: &Self::Owned) -> bool { $(self.$n.matches(&owned.$n))&&+ }
            fn own(&self) -> Self::Owned { ($(self.$n.own(),)+) }
            fn stable(&self, out: &mut Stable) { $(self.$n.stable(out);)+ }
            fn heap(owned: &Self::Owned) -> usize { 0 $(+ $t::heap(&owned.$n))+ }
        }
    )*};
}

tuples!((A 0), (A 0, B 1), (A 0, B 1, C 2), (A 0, B 1, C 2, D 3), (A 0, B 1, C 2, D 3, E 4));
tuples!((A 0, B 1, C 2, D 3, E 4, F 5), (A 0, B 1, C 2, D 3, E 4, F 5, G 6));
tuples!((A 0, B 1, C 2, D 3, E 4, F 5, G 6, I 7));
