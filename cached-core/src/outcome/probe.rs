//! Asking a type, by method look-up, what it is.

use std::marker::PhantomData;
use std::ops::Deref;

use super::kinds::share_clone;
use super::{
    CacheableError, Fallible, FallibleOptional, NoKind, Optional, OptionalFallible, OptionalWhole,
    Plain, Shareable, Whole, WholeOptional,
};

/// Asks a result type what it is: `out::<R>().kind()`.
///
/// Every level of `Deref` answers for fewer special cases, and the most special ones for one alone:
/// of a type that is not known for another mistake, each level's first is taken. Where what is stored can be serialised,
/// that comes first.
pub struct Out<R>(Transposed<R>);

macro_rules! levels {
    ($($this:ident => $next:ident),*) => {$(
        /// A level of [`Out`].
        pub struct $this<R>($next<R>);

        impl<R> Deref for $this<R> {
            type Target = $next<R>;
            #[inline]
            fn deref(&self) -> &$next<R> { &self.0 }
        }
    )*};
}

levels!(
    Transposed => Shared, Shared => AnyOptional, AnyOptional => AnyTransposed,
    AnyTransposed => Any, Any => Value, Value => LocalOptionalShared,
    LocalOptionalShared => LocalTransposedShared, LocalTransposedShared => LocalShared,
    LocalShared => LocalOptional, LocalOptional => LocalTransposed, LocalTransposed => Local,
    Local => Last
);

/// The last level: any type at all.
pub struct Last<R>(PhantomData<fn() -> R>);

impl<R> Deref for Out<R> {
    type Target = Transposed<R>;
    #[inline]
    fn deref(&self) -> &Transposed<R> {
        &self.0
    }
}

/// Asks about `R`.
#[inline]
pub fn out<R>() -> Out<R> {
    Out(Transposed(Shared(AnyOptional(AnyTransposed(Any(Value(
        out_borrowed(),
    )))))))
}

/// Asks about an `R` that holds references: what borrows cannot be read from a shared store, and
/// method look-up, which does not see lifetimes, would think that it can.
#[inline]
pub fn out_borrowed<R>() -> LocalOptionalShared<R> {
    LocalOptionalShared(LocalTransposedShared(LocalShared(LocalOptional(
        LocalTransposed(Local(Last(PhantomData))),
    ))))
}

/// What can be serialised, for shared stores.
mod coded {
    use serde_core::{Serialize, de::DeserializeOwned};

    use super::*;
    use crate::codec::Codec;

    #[cfg(feature = "stores")]
    fn codec<T: Serialize + DeserializeOwned>() -> Option<Codec<T>> {
        Some(Codec::SERDE)
    }

    #[cfg(not(feature = "stores"))]
    fn codec<T: Serialize + DeserializeOwned>() -> Option<Codec<T>> {
        None
    }

    macro_rules! coded {
        ($(#[doc = $doc:literal] $level:ident <$result:ty> as $kind:ident<$($p:ident),*>
            where { $($bounds:tt)* }, $share:expr;)*) => {$(
            impl<$($bounds)*> $level<$result> {
                #[doc = $doc]
                #[cfg(feature = "stores")]
                pub fn kind(&self) -> $kind<$($p),*> {
                    self.shared()
                }

                /// The same where it has to be one that can be serialised.
                pub fn shared(&self) -> $kind<$($p),*> {
                    $kind::new(codec(), $share)
                }
            }
        )*};
    }

    coded! {
        /// A `Result` of an `Option` whose error waiters can be given.
        Out<Result<Option<T>, E>> as FallibleOptional<T, E>
            where { T: Serialize + DeserializeOwned, E: Clone + Send + Sync + 'static },
            Some(share_clone);
        /// An `Option` of a `Result` whose error waiters can be given.
        Transposed<Option<Result<T, E>>> as OptionalFallible<T, E>
            where { T: Serialize + DeserializeOwned, E: Clone + Send + Sync + 'static },
            Some(share_clone);
        /// A `Result` whose error waiters can be given.
        Shared<Result<T, E>> as Fallible<T, E>
            where { T: Serialize + DeserializeOwned, E: Clone + Send + Sync + 'static },
            Some(share_clone);
        /// A `Result` of an `Option`.
        AnyOptional<Result<Option<T>, E>> as FallibleOptional<T, E>
            where { T: Serialize + DeserializeOwned, E }, None;
        /// An `Option` of a `Result`.
        AnyTransposed<Option<Result<T, E>>> as OptionalFallible<T, E>
            where { T: Serialize + DeserializeOwned, E }, None;
        /// A `Result`.
        Any<Result<T, E>> as Fallible<T, E>
            where { T: Serialize + DeserializeOwned, E }, None;
        /// An `Option`.
        Any<Option<T>> as Optional<T> where { T: Serialize + DeserializeOwned }, None;
        /// Any value.
        Value<R> as Plain<R> where { R: Serialize + DeserializeOwned }, None;
    }

    macro_rules! whole {
        ($($level:ident <$result:ty> as $kind:ident;)*) => {$(
            #[cfg(feature = "stores")]
            impl<T, E> $level<$result>
            where
                T: Serialize + DeserializeOwned,
                E: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
            {
                /// Errors stored too, and both can be serialised.
                pub fn whole(&self) -> $kind<T, E> {
                    $kind::new(codec(), None)
                }
            }
        )*};
    }

    whole! {
        Out<Result<Option<T>, E>> as WholeOptional;
        Transposed<Option<Result<T, E>>> as OptionalWhole;
        Shared<Result<T, E>> as Whole;
    }
}

impl<T, E: Clone + Send + Sync + 'static> LocalOptionalShared<Result<Option<T>, E>> {
    /// A `Result` of an `Option` whose error waiters can be given.
    #[inline]
    pub fn kind(&self) -> FallibleOptional<T, E> {
        FallibleOptional::new(None, Some(share_clone))
    }

    /// The same, errors stored too.
    pub fn whole(&self) -> WholeOptional<T, E> {
        WholeOptional::new(None, None)
    }
}

impl<T, E: Clone + Send + Sync + 'static> LocalTransposedShared<Option<Result<T, E>>> {
    /// An `Option` of a `Result` whose error waiters can be given.
    #[inline]
    pub fn kind(&self) -> OptionalFallible<T, E> {
        OptionalFallible::new(None, Some(share_clone))
    }

    /// The same, errors stored too.
    pub fn whole(&self) -> OptionalWhole<T, E> {
        OptionalWhole::new(None, None)
    }
}

impl<T, E: Clone + Send + Sync + 'static> LocalShared<Result<T, E>> {
    /// A `Result` whose error waiters can be given.
    #[inline]
    pub fn kind(&self) -> Fallible<T, E> {
        Fallible::new(None, Some(share_clone))
    }

    /// The same, errors stored too.
    pub fn whole(&self) -> Whole<T, E> {
        Whole::new(None, None)
    }
}

impl<T, E> LocalOptional<Result<Option<T>, E>> {
    /// A `Result` of an `Option`.
    #[inline]
    pub fn kind(&self) -> FallibleOptional<T, E> {
        FallibleOptional::new(None, None)
    }
}

impl<T, E> LocalTransposed<Option<Result<T, E>>> {
    /// An `Option` of a `Result`.
    #[inline]
    pub fn kind(&self) -> OptionalFallible<T, E> {
        OptionalFallible::new(None, None)
    }
}

impl<T, E> Local<Result<T, E>> {
    /// A `Result`.
    #[inline]
    pub fn kind(&self) -> Fallible<T, E> {
        Fallible::new(None, None)
    }
}

impl<T> Local<Option<T>> {
    /// An `Option`.
    #[inline]
    pub fn kind(&self) -> Optional<T> {
        Optional::new(None, None)
    }
}

impl<R> Last<R> {
    /// Any value.
    #[inline]
    pub fn kind(&self) -> Plain<R> {
        Plain::new(None, None)
    }

    /// Explains that the result was to be shared and cannot be; it is never called.
    pub fn shared(&self) -> NoKind<R>
    where
        R: Shareable,
    {
        R::none()
    }

    /// Explains that errors were to be stored where there are none; it is never called.
    pub fn whole(&self) -> NoKind<R>
    where
        R: CacheableError,
    {
        R::none()
    }
}

/// Asks a result whether it is a success: everything is that is not an `Err`.
pub struct Succeeded<'r, R>(Returned<'r, R>);

/// A result that is no `Result`.
pub struct Returned<'r, R>(&'r R);

impl<'r, R> Succeeded<'r, R> {
    /// Asks about a result.
    pub fn new(result: &'r R) -> Self {
        Succeeded(Returned(result))
    }
}

impl<'r, R> Deref for Succeeded<'r, R> {
    type Target = Returned<'r, R>;

    fn deref(&self) -> &Returned<'r, R> {
        &self.0
    }
}

impl<T, E> Succeeded<'_, Result<T, E>> {
    /// Whether it is `Ok`.
    pub fn succeeded(&self) -> bool {
        self.0.0.is_ok()
    }
}

impl<R> Returned<'_, R> {
    /// It has returned, that is all.
    pub fn succeeded(&self) -> bool {
        true
    }
}
