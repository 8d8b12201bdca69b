//! How an argument of a handler takes part in the key, decided by its type.
//!
//! Generated code says `extracted(&argument).part()`, or `skipped(&argument).part()` for one that
//! `skip(…)` names. As for functions (see [`key`](crate::key)), method look-up goes on through `Deref`
//! from the best way to the next: what comes from the URL, which the key holds anyway; what comes
//! from the state, which is no part of it; then by value.

use std::hash::{Hash, Hasher};
use std::ops::Deref;

use axum::Extension;
use axum::extract::State;
use serde_core::Serialize;

use super::source::{FromState, FromUrl, Handle, Travels, ViewKey};
use crate::key::{
    EqPart, HashPart, Part, Parts, SerdePart, Stable, eq_part, eq_serde_part, hash_part, serde_part,
};

/// What the arguments of a handler are, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// One is in the key that does not come from the URL: a user, a language.
    pub(crate) keyed: bool,
    /// One is left out of the key that could tell users apart.
    pub(crate) skipped: bool,
    /// One must not count for other processes: it is in the key in a way that means nothing to them,
    /// or was read before anything could be asked of them.
    pub(crate) local: bool,
    /// One was taken from the state, and may be what was read there.
    pub(crate) stated: bool,
}

impl Sources {
    const NOTHING: Sources = Sources {
        keyed: false,
        skipped: false,
        local: false,
        stated: false,
    };
}

impl Sources {
    /// Whether other processes can be given what comes of it.
    ///
    /// What the key leaves out, and what was read by way of the state, an extractor has read before
    /// the store could be asked for its versions: nobody could tell whether that was before an
    /// invalidation in another process.
    pub(super) fn travel(self) -> bool {
        !self.skipped && !self.local
    }
}

/// An argument as part of a view's key.
pub trait Argument: Part {
    /// What it adds to all of them.
    #[doc(hidden)]
    const SOURCES: Sources;
}

/// Any number of arguments, as nested pairs: `(a, (b, ()))`.
pub trait Arguments: Parts {
    /// What they are.
    #[doc(hidden)]
    const SOURCES: Sources;
}

impl Arguments for () {
    const SOURCES: Sources = Sources::NOTHING;
}

impl<A: Argument, B: Arguments> Arguments for (A, B) {
    const SOURCES: Sources = Sources {
        keyed: A::SOURCES.keyed || B::SOURCES.keyed,
        skipped: A::SOURCES.skipped || B::SOURCES.skipped,
        local: A::SOURCES.local || B::SOURCES.local,
        stated: A::SOURCES.stated || B::SOURCES.stated,
    };
}

macro_rules! nothing {
    ($($(#[$doc:meta])* $name:ident $sources:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Part for $name {
            type Owned = ();

            fn hash<H: Hasher>(&self, _hasher: &mut H) {}

            fn matches(&self, (): &()) -> bool {
                true
            }

            fn own(&self) {}
        }

        impl Argument for $name {
            const SOURCES: Sources = $sources;
        }
    )*};
}

nothing! {
    /// Nothing that is not in the key already, or that could tell users apart.
    Known Sources { ..Sources::NOTHING };
    /// What the router's state holds, or a part of it: of what that is, its type says nothing.
    Stated Sources { stated: true, ..Sources::NOTHING };
    /// What an extractor has made of the state: it may have read what others change.
    Read Sources { local: true, ..Sources::NOTHING };
    /// An argument that the key leaves out.
    Skipped Sources { skipped: true, ..Sources::NOTHING };
}

macro_rules! by_value {
    ($($(#[$doc:meta])* $name:ident $sources:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name<P>(P);

        impl<P: Part> Part for $name<P> {
            type Owned = P::Owned;

            #[inline]
            fn hash<H: Hasher>(&self, hasher: &mut H) {
                self.0.hash(hasher);
            }

            #[inline]
            fn matches(&self, owned: &P::Owned) -> bool {
                self.0.matches(owned)
            }

            fn own(&self) -> P::Owned {
                self.0.own()
            }

            fn stable(&self, out: &mut Stable) {
                self.0.stable(out);
            }

            fn heap(owned: &P::Owned) -> usize {
                P::heap(owned)
            }
        }

        impl<P: Part> Argument for $name<P> {
            const SOURCES: Sources = $sources;
        }
    )*};
}

by_value! {
    /// An argument that does not come from the URL.
    Keyed Sources { keyed: true, ..Sources::NOTHING };
    /// The same, known by its `Hash` alone: what is hashed may be the number of a thing in this
    /// process, or leave something out.
    KeyedHere Sources { keyed: true, local: true, ..Sources::NOTHING };
    /// What an option names.
    Counted Sources { ..Sources::NOTHING };
}

impl Travels for Known {}
impl Travels for Stated {}
impl<P> Travels for Keyed<P> {}
impl<P> Travels for Counted<P> {}

/// What an option names: `version`, `key`, a value in a prefix.
pub fn counted<P: Part>(part: P) -> Counted<P> {
    Counted(part)
}

/// An argument that counts.
pub struct Extracted<'a, T>(&'a T, OfHandle<'a, T>);
/// From the state, and no more than a handle.
pub struct OfHandle<'a, T>(&'a T, OfRouter<'a, T>);
/// The router's state.
pub struct OfRouter<'a, T>(&'a T, OfState<'a, T>);
/// From the state.
pub struct OfState<'a, T>(&'a T, ByEqSerde<'a, T>);
/// `Hash + Eq`, and can be kept, and serialised for other processes.
pub struct ByEqSerde<'a, T>(&'a T, InsideByEqSerde<'a, T>);
/// The same inside an `Extension`.
pub struct InsideByEqSerde<'a, T>(&'a T, ByEq<'a, T>);
/// `Hash + Eq`, and can be kept.
pub struct ByEq<'a, T>(&'a T, InsideByEq<'a, T>);
/// The same inside an `Extension`.
pub struct InsideByEq<'a, T>(&'a T, BySerde<'a, T>);
/// `serde::Serialize`.
pub struct BySerde<'a, T>(&'a T, InsideBySerde<'a, T>);
/// The same inside an `Extension`.
pub struct InsideBySerde<'a, T>(&'a T, ByUnkept<'a, T>);
/// `Hash + Eq`, and can be neither kept nor serialised.
pub struct ByUnkept<'a, T>(&'a T, ByHash<'a, T>);
/// Only `Hash`.
pub struct ByHash<'a, T>(&'a T, InsideByHash<'a, T>);
/// The same inside an `Extension`.
pub struct InsideByHash<'a, T>(&'a T, Neither<'a, T>);
/// Nothing that could tell two values apart.
pub struct Neither<'a, T>(&'a T);

/// Asks an argument that counts.
pub fn extracted<T>(value: &T) -> Extracted<'_, T> {
    let by_hash = ByHash(value, InsideByHash(value, Neither(value)));
    let by_serde = BySerde(value, InsideBySerde(value, ByUnkept(value, by_hash)));
    let by_eq = ByEq(value, InsideByEq(value, by_serde));
    let by_eq = ByEqSerde(value, InsideByEqSerde(value, by_eq));
    let of_router = OfRouter(value, OfState(value, by_eq));
    Extracted(value, OfHandle(value, of_router))
}

macro_rules! next_best {
    ($($this:ident => $next:ident),*) => {$(
        impl<'a, T> Deref for $this<'a, T> {
            type Target = $next<'a, T>;
            fn deref(&self) -> &$next<'a, T> { &self.1 }
        }
    )*};
}

next_best!(
    Extracted => OfHandle,
    OfHandle => OfRouter,
    OfRouter => OfState,
    OfState => ByEqSerde,
    ByEqSerde => InsideByEqSerde,
    InsideByEqSerde => ByEq,
    ByEq => InsideByEq,
    InsideByEq => BySerde,
    BySerde => InsideBySerde,
    InsideBySerde => ByUnkept,
    ByUnkept => ByHash,
    ByHash => InsideByHash,
    InsideByHash => Neither,
    LeftOut => LeftOutHandle,
    LeftOutHandle => LeftOutOfRouter,
    LeftOutOfRouter => LeftOutOfState,
    LeftOutOfState => Other
);

impl<T: FromUrl> Extracted<'_, T> {
    /// It adds nothing.
    pub fn part(&self) -> Known {
        let _ = self.0;
        Known
    }
}

impl<T: Handle> OfHandle<'_, T> {
    /// It is no part of the key.
    pub fn part(&self) -> Known {
        let _ = self.0;
        Known
    }
}

impl<T> OfRouter<'_, State<T>> {
    /// It is no part of the key.
    pub fn part(&self) -> Stated {
        let _ = self.0;
        Stated
    }
}

impl<T: FromState> OfState<'_, T> {
    /// It is no part of the key.
    pub fn part(&self) -> Read {
        let _ = self.0;
        Read
    }
}

impl<'a, T: Hash + Eq + Clone + Serialize + Send + Sync + 'static> ByEqSerde<'a, T> {
    /// By `Hash` and `Eq`, serialised for other processes.
    pub fn part(&self) -> Keyed<EqPart<'a, T>> {
        Keyed(eq_serde_part(self.0))
    }
}

impl<'a, T: Hash + Eq + Clone + Serialize + Send + Sync + 'static>
    InsideByEqSerde<'a, Extension<T>>
{
    /// By `Hash` and `Eq` of what is inside, serialised for other processes.
    pub fn part(&self) -> Keyed<EqPart<'a, T>> {
        Keyed(eq_serde_part(&self.0.0))
    }
}

impl<'a, T: Hash + Eq + Clone + Send + Sync + 'static> ByEq<'a, T> {
    /// By `Hash` and `Eq`.
    pub fn part(&self) -> KeyedHere<EqPart<'a, T>> {
        KeyedHere(eq_part(self.0))
    }
}

impl<'a, T: Hash + Eq + Clone + Send + Sync + 'static> InsideByEq<'a, Extension<T>> {
    /// By `Hash` and `Eq` of what is inside.
    pub fn part(&self) -> KeyedHere<EqPart<'a, T>> {
        KeyedHere(eq_part(&self.0.0))
    }
}

impl<'a, T: Serialize> BySerde<'a, T> {
    /// By canonical serialisation.
    pub fn part(&self) -> Keyed<SerdePart<'a, T>> {
        Keyed(serde_part(self.0))
    }
}

impl<'a, T: Serialize> InsideBySerde<'a, Extension<T>> {
    /// By canonical serialisation of what is inside.
    pub fn part(&self) -> Keyed<SerdePart<'a, T>> {
        Keyed(serde_part(&self.0.0))
    }
}

impl<T: Hash + Eq> ByUnkept<'_, T> {
    /// Explains what is missing; it is never called.
    pub fn part(&self) -> Known
    where
        Self: ViewKey<T>,
    {
        self.nothing(self.0);
        Known
    }
}

impl<'a, T: Hash> ByHash<'a, T> {
    /// By a keyed digest of its `Hash`.
    pub fn part(&self) -> KeyedHere<HashPart<'a, T>> {
        KeyedHere(hash_part(self.0))
    }
}

impl<'a, T: Hash> InsideByHash<'a, Extension<T>> {
    /// By a keyed digest of the `Hash` of what is inside.
    pub fn part(&self) -> KeyedHere<HashPart<'a, T>> {
        KeyedHere(hash_part(&self.0.0))
    }
}

impl<T> Neither<'_, T> {
    /// Explains what is missing; it is never called.
    pub fn part(&self) -> Known
    where
        Self: ViewKey<T>,
    {
        self.nothing(self.0);
        Known
    }
}

/// An argument that the key leaves out.
pub struct LeftOut<'a, T>(&'a T, LeftOutHandle<'a, T>);
/// From the state, and no more than a handle.
pub struct LeftOutHandle<'a, T>(&'a T, LeftOutOfRouter<'a, T>);
/// The router's state.
pub struct LeftOutOfRouter<'a, T>(&'a T, LeftOutOfState<'a, T>);
/// From the state.
pub struct LeftOutOfState<'a, T>(&'a T, Other<'a, T>);
/// From wherever.
pub struct Other<'a, T>(&'a T);

/// Asks an argument that the key leaves out.
pub fn skipped<T>(value: &T) -> LeftOut<'_, T> {
    let of_state = LeftOutOfState(value, Other(value));
    LeftOut(
        value,
        LeftOutHandle(value, LeftOutOfRouter(value, of_state)),
    )
}

impl<T: FromUrl> LeftOut<'_, T> {
    /// The key holds the URL anyway.
    pub fn part(&self) -> Known {
        let _ = self.0;
        Known
    }
}

impl<T: Handle> LeftOutHandle<'_, T> {
    /// It would be no part of the key anyway.
    pub fn part(&self) -> Known {
        let _ = self.0;
        Known
    }
}

impl<T> LeftOutOfRouter<'_, State<T>> {
    /// It would be no part of the key anyway.
    pub fn part(&self) -> Stated {
        let _ = self.0;
        Stated
    }
}

impl<T: FromState> LeftOutOfState<'_, T> {
    /// It would be no part of the key anyway.
    pub fn part(&self) -> Read {
        let _ = self.0;
        Read
    }
}

impl<T> Other<'_, T> {
    /// It could tell users apart.
    pub fn part(&self) -> Skipped {
        let _ = self.0;
        Skipped
    }
}
