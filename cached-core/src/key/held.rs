//! Containers of what is borrowed, compared by `Eq` of what they refer to.
//!
//! Method look-up does not see lifetimes, so a container that holds references could not be told
//! from one that can be owned for ever. Each is named here by its shape, and what it refers to is
//! owned.

use std::borrow::{Borrow, Cow};
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use serde_core::Serialize;

use super::Part;
use super::probe::{EqPart, by_hash, by_serde};
use super::stable::Stable;

/// Of what can be serialised for shared stores as well; `N` answers for other shapes.
pub struct HeldSerde<'a, T: ?Sized, N>(pub(super) &'a T, pub(super) Held<'a, T, N>);

/// Of what is `Hash + Eq` and can be owned.
pub struct Held<'a, T: ?Sized, N>(pub(super) &'a T, pub(super) N);

impl<'a, T: ?Sized, N> Deref for HeldSerde<'a, T, N> {
    type Target = Held<'a, T, N>;

    #[inline]
    fn deref(&self) -> &Held<'a, T, N> {
        &self.1
    }
}

impl<T: ?Sized, N> Deref for Held<'_, T, N> {
    type Target = N;

    #[inline]
    fn deref(&self) -> &N {
        &self.1
    }
}

/// Several values, each compared with `Eq`.
pub struct RefsPart<'a, U: ?Sized>(&'a [&'a U], fn(&U, &mut Stable));

macro_rules! held {
    ($level:ident, $stable:ident, $($serialize:path)?) => {
        held!(@one $level, $stable, ['b], Cow<'b, U>, this => this, $($serialize)?);
        held!(@one $level, $stable, ['b, 'c], &'c Cow<'b, U>, this => this, $($serialize)?);
        held!(@one $level, $stable, ['b, 'c], &'b &'c U, this => this, $($serialize)?);
        held!(@all $level, $stable, ['b, 'c], &'b [&'c U], $($serialize)?);
        held!(@all $level, $stable, ['c], Vec<&'c U>, $($serialize)?);
        held!(@all $level, $stable, ['b, 'c], &'b Vec<&'c U>, $($serialize)?);
        held!(@all $level, $stable, ['c, const M: usize], [&'c U; M], $($serialize)?);
        held!(@all $level, $stable, ['b, 'c, const M: usize], &'b [&'c U; M], $($serialize)?);
    };
    (@one $level:ident, $stable:ident, [$($g:tt)*], $t:ty, $this:ident => $value:expr, $($serialize:path)?) => {
        impl<'a, $($g)*, U, N> $level<'a, $t, N>
        where
            U: Hash + Eq + ToOwned<Owned: Clone + Eq + Send + Sync + 'static> + ?Sized $(+ $serialize)?,
        {
            /// By `Hash` and `Eq` of what it refers to.
            #[inline]
            pub fn part(&self) -> EqPart<'a, U> {
                let $this: &'a U = self.0;
                EqPart::new($value, $stable)
            }
        }
    };
    (@all $level:ident, $stable:ident, [$($g:tt)*], $t:ty, $($serialize:path)?) => {
        impl<'a, $($g)*, U, N> $level<'a, $t, N>
        where
            U: Hash + Eq + ToOwned<Owned: Clone + Eq + Send + Sync + 'static> + ?Sized $(+ $serialize)?,
        {
            /// By `Hash` and `Eq` of all that it refers to.
            #[inline]
            pub fn part(&self) -> RefsPart<'a, U> {
                RefsPart(&self.0[..], $stable)
            }
        }
    };
}

held!(HeldSerde, by_serde, Serialize);
held!(Held, by_hash,);

impl<U> Part for RefsPart<'_, U>
where
    U: Hash + Eq + ToOwned<Owned: Clone + Eq + Send + Sync + 'static> + ?Sized,
{
    type Owned = Box<[U::Owned]>;

    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Hash::hash(self.0, hasher);
    }

    fn matches(&self, owned: &Self::Owned) -> bool {
        let pairs = || self.0.iter().zip(owned);
        let equal = |(one, other): (&&U, &U::Owned)| {
            let other: &U = other.borrow();
            **one == *other
        };
        self.0.len() == owned.len() && pairs().all(equal)
    }

    fn own(&self) -> Self::Owned {
        self.0.iter().map(|one| (*one).to_owned()).collect()
    }

    fn stable(&self, out: &mut Stable) {
        self.0
            .iter()
            .for_each(|one| out.part(|out| (self.1)(one, out)));
    }
}
