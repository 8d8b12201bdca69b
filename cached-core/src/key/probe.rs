//! How an argument takes part in the key, decided by its type.
//!
//! Generated code says `arg(&argument).part()`. [`Arg`] has an inherent `part` for the best way;
//! where its bounds do not hold, method look-up goes on through `Deref` to the next best: the
//! standard library's types, whatever they borrow; what is `Hash + Eq` and can be owned; what can
//! be serialised; what is only `Hash`. What has `Eq` and can be neither owned nor serialised is
//! refused, since its `Hash` may leave out what its `Eq` compares. Last comes a method that exists
//! for every type. Both explain what is missing, through [`ComparedKey`] and [`CacheKey`].
//!
//! Method look-up does not see lifetimes: to it, a reference can be owned for ever. So all ways to
//! take what a reference points to come before those that would own the reference. A type written
//! with one (`View<'_>`) goes by [`BorrowedArg`], which leaves out the ways that would have to own
//! it, and the standard library's containers of such by [`inside`](super::inside()).

use std::collections::{HashMap, HashSet, hash_map, hash_set};
use std::hash::Hash;
use std::ops::Deref;

use serde_core::Serialize;

use super::Part;
use super::several::Unordered;
use super::user_parts::{EqPart, HashPart, OptionPart, SerdePart, SetPart, by_both, by_hash};

/// An argument whose type mentions no lifetime but those of references.
pub struct Arg<'a, T: ?Sized>(pub &'a T, ByRefEqSerde<'a, T>);

/// An argument whose type has a lifetime of its own.
pub struct BorrowedArg<'a, T: ?Sized>(pub &'a T, BySerde<'a, T>);

/// Asks an argument.
#[inline]
pub fn arg<T: ?Sized>(value: &T) -> Arg<'_, T> {
    let by_eq = ByEqSerde(value, ByEq(value, unkept(value)));
    let by_ref = ByRefUnkept(value, ByRefHash(value, by_eq));
    let by_set = ByEqSet(value, BySet(value, ByRefSerde(value, by_ref)));
    let by_set = ByEqSerdeSet(value, by_set);
    Arg(value, ByRefEqSerde(value, ByRefEq(value, by_set)))
}

/// Asks an argument whose type has a lifetime of its own.
#[inline]
pub fn borrowed<T: ?Sized>(value: &T) -> BorrowedArg<'_, T> {
    BorrowedArg(value, unkept(value))
}

/// The ways of what cannot be owned.
#[inline]
fn unkept<T: ?Sized>(value: &T) -> BySerde<'_, T> {
    BySerde(value, ByUnkept(value, ByHash(value, Neither(value))))
}

impl<'a, T: Part + ?Sized> Arg<'a, T> {
    /// By value: the type is one of the standard library's.
    #[inline]
    pub fn part(&self) -> &'a T {
        self.0
    }
}

impl<'a, T: Part + ?Sized> BorrowedArg<'a, T> {
    /// By value: the type is one of the standard library's.
    #[inline]
    pub fn part(&self) -> &'a T {
        self.0
    }
}

macro_rules! next_best {
    ($($this:ident => $next:ident at $n:tt),*) => {$(
        impl<'a, T: ?Sized> Deref for $this<'a, T> {
            type Target = $next<'a, T>;
            #[inline]
            fn deref(&self) -> &$next<'a, T> { &self.$n }
        }
    )*};
}

next_best!(
    Arg => ByRefEqSerde at 1,
    ByRefEqSerde => ByRefEq at 1,
    ByRefEq => ByEqSerdeSet at 1,
    ByEqSerdeSet => ByEqSet at 1,
    ByEqSet => BySet at 1,
    BySet => ByRefSerde at 1,
    ByRefSerde => ByRefUnkept at 1,
    ByRefUnkept => ByRefHash at 1,
    ByRefHash => ByEqSerde at 1,
    ByEqSerde => ByEq at 1,
    ByEq => BySerde at 1,
    BySerde => ByUnkept at 1,
    ByUnkept => ByHash at 1,
    ByHash => Neither at 1,
    BorrowedArg => BySerde at 1
);

/// `Hash + Eq`, and can be owned.
pub struct ByEq<'a, T: ?Sized>(&'a T, BySerde<'a, T>);

/// What is `Hash + Eq`, and can be serialised for shared stores as well.
pub struct ByEqSerde<'a, T: ?Sized>(&'a T, ByEq<'a, T>);

impl<'a, T: ?Sized> ByEqSerde<'a, T>
where
    T: Hash + Eq + ToOwned + Serialize,
    T::Owned: Clone + Eq + Send + Sync + 'static,
{
    /// By `Hash` and `Eq`, serialised for shared stores.
    #[inline]
    pub fn part(&self) -> EqPart<'a, T> {
        EqPart(self.0, by_both)
    }
}

impl<'a, T: ?Sized> ByEq<'a, T>
where
    T: Hash + Eq + ToOwned,
    T::Owned: Clone + Eq + Send + Sync + 'static,
{
    /// By `Hash` and `Eq`.
    #[inline]
    pub fn part(&self) -> EqPart<'a, T> {
        EqPart(self.0, by_hash)
    }
}

/// A reference to what is `Hash + Eq`, can be owned, and can be serialised as well.
pub struct ByRefEqSerde<'a, T: ?Sized>(&'a T, ByRefEq<'a, T>);

impl<'a, T: ?Sized> ByRefEqSerde<'a, &'a T>
where
    T: Hash + Eq + ToOwned + Serialize,
    T::Owned: Clone + Eq + Send + Sync + 'static,
{
    /// By `Hash` and `Eq` of what it points to, serialised for shared stores.
    #[inline]
    pub fn part(&self) -> EqPart<'a, T> {
        EqPart(self.0, by_both)
    }
}

impl<'a, T> ByRefEqSerde<'a, Option<&'a T>>
where
    T: Hash + Eq + Clone + Send + Sync + 'static + Serialize,
{
    /// By `Hash` and `Eq` of what it may point to, serialised for shared stores.
    #[inline]
    pub fn part(&self) -> OptionPart<'a, T> {
        OptionPart(*self.0, by_both)
    }
}

/// A reference to what is `Hash + Eq` and can be owned.
pub struct ByRefEq<'a, T: ?Sized>(&'a T, ByEqSerdeSet<'a, T>);

impl<'a, T: ?Sized> ByRefEq<'a, &'a T>
where
    T: Hash + Eq + ToOwned,
    T::Owned: Clone + Eq + Send + Sync + 'static,
{
    /// By `Hash` and `Eq` of what it points to.
    #[inline]
    pub fn part(&self) -> EqPart<'a, T> {
        EqPart(self.0, by_hash)
    }
}

impl<'a, T> ByRefEq<'a, Option<&'a T>>
where
    T: Hash + Eq + Clone + Send + Sync + 'static,
{
    /// By `Hash` and `Eq` of what it may point to.
    #[inline]
    pub fn part(&self) -> OptionPart<'a, T> {
        OptionPart(*self.0, by_hash)
    }
}

/// A `HashSet` or a `HashMap` of what is `Hash + Eq`, can be owned, and can be serialised as well.
pub struct ByEqSerdeSet<'a, T: ?Sized>(&'a T, ByEqSet<'a, T>);

/// A `HashSet` or a `HashMap` of what is `Hash + Eq` and can be owned.
pub struct ByEqSet<'a, T: ?Sized>(&'a T, BySet<'a, T>);

/// Makes the part of an element.
type EqOf<'a, T> = fn(&'a T) -> EqPart<'a, T>;

/// Makes the parts of a key and its value.
type EqOfBoth<'a, K, V> = fn((&'a K, &'a V)) -> (EqPart<'a, K>, EqPart<'a, V>);

macro_rules! eq_sets {
    ($this:ident, $way:ident, $t:ty, $map:ty where $($bound:tt)+) => {
        impl<'a, T, S> $this<'a, $t>
        where
            T: $($bound)+ + Clone + Send + Sync + 'static,
        {
            /// By the elements.
            pub fn part(&self) -> Unordered<hash_set::Iter<'a, T>, EqOf<'a, T>> {
                Unordered(self.0.iter(), |element| EqPart(element, $way))
            }
        }

        impl<'a, T, V, S> $this<'a, $map>
        where
            T: $($bound)+ + Clone + Send + Sync + 'static,
            V: $($bound)+ + Clone + Send + Sync + 'static,
        {
            /// By the keys and values.
            pub fn part(&self) -> Unordered<hash_map::Iter<'a, T, V>, EqOfBoth<'a, T, V>> {
                Unordered(self.0.iter(), |(key, value)| {
                    (EqPart(key, $way), EqPart(value, $way))
                })
            }
        }
    };
    ($this:ident, $way:ident where $($bound:tt)+) => {
        eq_sets!($this, $way, HashSet<T, S>, HashMap<T, V, S> where $($bound)+);
        eq_sets!($this, $way, &'a HashSet<T, S>, &'a HashMap<T, V, S> where $($bound)+);
    };
}

eq_sets!(ByEqSerdeSet, by_both where Hash + Eq + Serialize);
eq_sets!(ByEqSet, by_hash where Hash + Eq);

/// A `HashSet` of what can be serialised.
pub struct BySet<'a, T: ?Sized>(&'a T, ByRefSerde<'a, T>);

impl<'a, T: Serialize, S> BySet<'a, HashSet<T, S>> {
    /// By the elements.
    pub fn part(&self) -> SetPart<'a, T, S> {
        SetPart(self.0)
    }
}

impl<'a, T: Serialize, S> BySet<'a, &'a HashSet<T, S>> {
    /// By the elements.
    pub fn part(&self) -> SetPart<'a, T, S> {
        SetPart(self.0)
    }
}

/// A reference to what can be serialised and not owned.
pub struct ByRefSerde<'a, T: ?Sized>(&'a T, ByRefUnkept<'a, T>);

impl<'a, T: Serialize + ?Sized> ByRefSerde<'a, &'a T> {
    /// By canonical serialisation of what it points to.
    #[inline]
    pub fn part(&self) -> SerdePart<'a, T> {
        SerdePart(self.0)
    }
}

impl<'a, T: Serialize> ByRefSerde<'a, Option<&'a T>> {
    /// By canonical serialisation of what it may point to.
    #[inline]
    pub fn part(&self) -> SerdePart<'a, Option<&'a T>> {
        SerdePart(self.0)
    }
}

/// A reference to what is `Hash + Eq` and can be neither owned nor serialised.
pub struct ByRefUnkept<'a, T: ?Sized>(&'a T, ByRefHash<'a, T>);

impl<'a, T: Hash + Eq + ?Sized> ByRefUnkept<'a, &'a T> {
    /// Explains what is missing; it is never called.
    pub fn part(&self) -> &'a u64
    where
        Self: ComparedKey<T>,
    {
        self.nothing(self.0)
    }
}

impl<'a, T: Hash + Eq> ByRefUnkept<'a, Option<&'a T>> {
    /// Explains what is missing; it is never called.
    pub fn part(&self) -> &'a u64
    where
        Self: ComparedKey<Option<&'a T>>,
    {
        self.nothing(self.0)
    }
}

/// A reference to what is only `Hash`.
pub struct ByRefHash<'a, T: ?Sized>(&'a T, ByEqSerde<'a, T>);

impl<'a, T: Hash + ?Sized> ByRefHash<'a, &'a T> {
    /// By a keyed digest of what it points to.
    #[inline]
    pub fn part(&self) -> HashPart<'a, T> {
        HashPart(self.0)
    }
}

impl<'a, T: Hash> ByRefHash<'a, Option<&'a T>> {
    /// By a keyed digest of what it may point to.
    #[inline]
    pub fn part(&self) -> HashPart<'a, Option<&'a T>> {
        HashPart(self.0)
    }
}

/// `serde::Serialize`.
pub struct BySerde<'a, T: ?Sized>(&'a T, ByUnkept<'a, T>);

impl<'a, T: Serialize + ?Sized> BySerde<'a, T> {
    /// By canonical serialisation: map order does not matter, `-0.0` is `0.0`.
    #[inline]
    pub fn part(&self) -> SerdePart<'a, T> {
        SerdePart(self.0)
    }
}

/// `Hash + Eq`, and can be neither owned nor serialised.
pub struct ByUnkept<'a, T: ?Sized>(&'a T, ByHash<'a, T>);

impl<'a, T: Hash + Eq + ?Sized> ByUnkept<'a, T> {
    /// Explains what is missing; it is never called.
    pub fn part(&self) -> &'a u64
    where
        Self: ComparedKey<T>,
    {
        self.nothing(self.0)
    }
}

/// Only `Hash`.
pub struct ByHash<'a, T: ?Sized>(&'a T, Neither<'a, T>);

impl<'a, T: Hash + ?Sized> ByHash<'a, T> {
    /// By a keyed digest of its `Hash`.
    #[inline]
    pub fn part(&self) -> HashPart<'a, T> {
        HashPart(self.0)
    }
}

/// Nothing that could tell two values apart.
pub struct Neither<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> Neither<'a, T> {
    /// Explains what is missing; it is never called.
    pub fn part(&self) -> &'a u64
    where
        Self: CacheKey<T>,
    {
        self.nothing(self.0)
    }
}

/// What can be part of a cache key.
///
/// There is nothing to implement: a type that is `Hash + Eq`, or `serde::Serialize`, or `Hash`,
/// can. This trait only explains that a type is none of them, and nothing implements it.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be part of a cache key",
    label = "this argument counts for the key, but its type is neither `Hash + Eq` nor `Serialize`",
    note = "if two calls that differ only here should give the same result, leave it out: `skip(…)`",
    note = "otherwise derive `Hash`, `PartialEq` and `Eq` (or `serde::Serialize`), or name what counts: `key = (…)`"
)]
pub trait CacheKey<T: ?Sized> {
    /// There is none.
    #[doc(hidden)]
    fn nothing<'a>(&self, value: &'a T) -> &'a u64;
}

/// What can be compared with a key that was stored.
///
/// There is nothing to implement, and nothing implements it: it only explains. A digest of its
/// `Hash` would not do for what has an `Eq`, since a `Hash` may leave out what `Eq` compares.
#[diagnostic::on_unimplemented(
    message = "`{T}` is compared with `Eq`, and cannot be kept for that",
    label = "this argument counts for the key, but a stored key cannot own it",
    note = "name what counts in it: `key = (…)`; or derive `Clone` where it owns what it holds, or `serde::Serialize`",
    note = "if two calls that differ only here should give the same result, leave it out: `skip(…)`"
)]
pub trait ComparedKey<T: ?Sized> {
    /// There is none.
    #[doc(hidden)]
    fn nothing<'a>(&self, value: &'a T) -> &'a u64;
}
