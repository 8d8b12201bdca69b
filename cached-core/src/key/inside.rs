//! What an argument borrows or holds inside, part by part: `&[&User]`, `Option<&[User]>`,
//! `Cow<'_, User>`, `HashMap<Id, &User>`.
//!
//! Such a value cannot be owned whole, since it ends with what it borrows; the values inside can.
//! Generated code says `inside(&list).each(|user| arg(user).part())`, as deep as the type is
//! written. A name may be another's than the standard library's: what is none of its containers
//! goes by itself.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::collections::{btree_map, btree_set, hash_map, hash_set, vec_deque};
use std::ops::Deref;
use std::rc::Rc;
use std::slice;
use std::sync::Arc;

use super::several::{Ordered, Unordered};

/// An argument with values inside.
pub struct Inside<'a, T: ?Sized>(&'a T, Itself<'a, T>);

/// What is no container.
pub struct Itself<'a, T: ?Sized>(&'a T);

/// Asks an argument for what is inside.
#[inline]
pub fn inside<T: ?Sized>(value: &T) -> Inside<'_, T> {
    Inside(value, Itself(value))
}

impl<'a, T: ?Sized> Deref for Inside<'a, T> {
    type Target = Itself<'a, T>;

    #[inline]
    fn deref(&self) -> &Itself<'a, T> {
        &self.1
    }
}

impl<'a, T: ?Sized> Itself<'a, T> {
    /// By itself.
    pub fn each<P>(&self, one: impl Fn(&'a T) -> P) -> P {
        one(self.0)
    }

    /// By itself.
    pub fn pairs<P, Q>(&self, key: impl Fn(&'a T) -> P, _value: impl Fn(&'a T) -> Q) -> P {
        key(self.0)
    }
}

/// Containers of one kind of values.
macro_rules! lists {
    ($([$($generics:tt)*] $t:ty => $kind:ident of $iter:ty),* $(,)?) => {$(
        impl<'a, T, $($generics)*> Inside<'a, $t> {
            /// By the values inside.
            #[inline]
            pub fn each<P, F: Fn(&'a T) -> P>(&self, one: F) -> $kind<$iter, F> {
                $kind(self.0.iter(), one)
            }
        }
    )*};
}

lists!(
    [] [T] => Ordered of slice::Iter<'a, T>,
    [const N: usize] [T; N] => Ordered of slice::Iter<'a, T>,
    [] Vec<T> => Ordered of slice::Iter<'a, T>,
    [] VecDeque<T> => Ordered of vec_deque::Iter<'a, T>,
    [] BTreeSet<T> => Ordered of btree_set::Iter<'a, T>,
    [S] HashSet<T, S> => Unordered of hash_set::Iter<'a, T>,
);

/// Pointers to one value.
macro_rules! pointers {
    ($([$($generics:tt)*] $t:ty),* $(,)?) => {$(
        impl<'a, T: ?Sized $($generics)*> Inside<'a, $t> {
            /// By what it points to.
            #[inline]
            pub fn each<P>(&self, one: impl Fn(&'a T) -> P) -> P {
                one(&**self.0)
            }
        }
    )*};
}

pointers!([] Box<T>, [] Rc<T>, [] Arc<T>, [+ ToOwned] Cow<'_, T>);

impl<'a, T> Inside<'a, Option<T>> {
    /// By the value inside, or by there being none.
    #[inline]
    pub fn each<P>(&self, one: impl Fn(&'a T) -> P) -> Option<P> {
        self.0.as_ref().map(one)
    }
}

/// Containers of keys and values.
macro_rules! maps {
    ($([$($generics:tt)*] $t:ty => $kind:ident of $iter:ty),* $(,)?) => {$(
        impl<'a, K, V, $($generics)*> Inside<'a, $t> {
            /// By the keys and values inside.
            pub fn pairs<P, Q>(
                self,
                key: impl Fn(&'a K) -> P,
                value: impl Fn(&'a V) -> Q,
            ) -> $kind<$iter, impl Fn((&'a K, &'a V)) -> (P, Q)> {
                $kind(self.0.iter(), move |(k, v)| (key(k), value(v)))
            }
        }
    )*};
}

maps!(
    [S] HashMap<K, V, S> => Unordered of hash_map::Iter<'a, K, V>,
    [] BTreeMap<K, V> => Ordered of btree_map::Iter<'a, K, V>,
);
