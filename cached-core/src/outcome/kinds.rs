//! The kinds of results there are.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{Outcome, Share, ShareableWhole, Verdict};
use crate::codec::Codec;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident<$($p:ident),*> stores $stored:ty;)*) => {$(
        $(#[$doc])*
        pub struct $kind<$($p),*> {
            pub(super) codec: Option<Codec<$stored>>,
            pub(super) share: Option<ShareError<kinds!(@error $($p)*)>>,
            result: PhantomData<fn() -> ($($p,)*)>,
        }

        impl<$($p),*> $kind<$($p),*> {
            pub(super) fn new(
                codec: Option<Codec<$stored>>,
                share: Option<ShareError<kinds!(@error $($p)*)>>,
            ) -> Self {
                $kind { codec, share, result: PhantomData }
            }
        }

        impl<$($p),*> Clone for $kind<$($p),*> {
            fn clone(&self) -> Self {
                $kind { codec: self.codec, share: self.share, result: PhantomData }
            }
        }
    )*};
    (@error $t:ident) => { Infallible };
    (@error $t:ident $e:ident) => { $e };
}

kinds! {
    /// A plain value.
    Plain<T> stores T;
    /// An `Option`.
    Optional<T> stores Option<T>;
    /// A `Result`.
    Fallible<T, E> stores T;
    /// A `Result` of an `Option`.
    FallibleOptional<T, E> stores Option<T>;
    /// An `Option` of a `Result`.
    OptionalFallible<T, E> stores Option<T>;
    /// An `Option` of a `Result` whose errors are stored too.
    OptionalWhole<T, E> stores Option<Result<T, E>>;
    /// A `Result` whose errors are stored too.
    Whole<T, E> stores Result<T, E>;
    /// A `Result` of an `Option` whose errors are stored too.
    WholeOptional<T, E> stores Result<Option<T>, E>;
}

impl<T, E> OptionalWhole<T, E> {
    /// The same where it has to be one that can be serialised.
    pub fn shared(self) -> Self
    where
        Option<Result<T, E>>: ShareableWhole,
    {
        self
    }
}

impl<T, E> Whole<T, E> {
    /// The same where it has to be one that can be serialised.
    pub fn shared(self) -> Self
    where
        Result<T, E>: ShareableWhole,
    {
        self
    }
}

impl<T, E> WholeOptional<T, E> {
    /// The same where it has to be one that can be serialised.
    pub fn shared(self) -> Self
    where
        Result<Option<T>, E>: ShareableWhole,
    {
        self
    }
}

/// Makes an error that can be given to many.
pub(super) type ShareError<E> = fn(&E) -> Share<E>;

/// Where the error can be cloned.
pub(super) fn share_clone<E: Clone + Send + Sync + 'static>(error: &E) -> Share<E> {
    let error = error.clone();
    Arc::new(move || error.clone())
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Outcome<T> for Plain<T> {
    type Stored = T;
    type Value = T;
    type Error = Infallible;

    #[inline]
    fn give(&self, stored: &T) -> T {
        stored.clone()
    }

    fn take(&self, stored: T) -> T {
        stored
    }

    fn judge<'r>(&self, result: &'r T) -> Verdict<T, &'r Infallible> {
        Verdict::Value(result.clone())
    }

    fn error<'r>(&self, _result: &'r T) -> Option<&'r Infallible> {
        None
    }

    fn value<'s>(&self, stored: &'s T) -> Option<&'s T> {
        Some(stored)
    }

    fn keep_error(&self, error: &Infallible) -> Option<T> {
        match *error {}
    }

    fn codec(&self) -> Option<Codec<Self::Stored>> {
        self.codec
    }

    fn share_error(&self, error: &Infallible) -> Option<Share<T>> {
        match *error {}
    }
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Outcome<Option<T>> for Optional<T> {
    type Stored = Option<T>;
    type Value = T;
    type Error = Infallible;

    #[inline]
    fn give(&self, stored: &Option<T>) -> Option<T> {
        stored.clone()
    }

    fn take(&self, stored: Option<T>) -> Option<T> {
        stored
    }

    fn judge<'r>(&self, result: &'r Option<T>) -> Verdict<Option<T>, &'r Infallible> {
        match result {
            Some(_) => Verdict::Value(result.clone()),
            None => Verdict::Nothing(None),
        }
    }

    fn error<'r>(&self, _result: &'r Option<T>) -> Option<&'r Infallible> {
        None
    }

    fn value<'s>(&self, stored: &'s Option<T>) -> Option<&'s T> {
        stored.as_ref()
    }

    fn keep_error(&self, error: &Infallible) -> Option<Option<T>> {
        match *error {}
    }

    fn codec(&self) -> Option<Codec<Self::Stored>> {
        self.codec
    }

    fn share_error(&self, error: &Infallible) -> Option<Share<Option<T>>> {
        match *error {}
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Outcome<Result<T, E>> for Fallible<T, E>
where
    T: Clone + Send + Sync + 'static,
    E: 'static,
{
    type Stored = T;
    type Value = T;
    type Error = E;

    #[inline]
    fn give(&self, stored: &T) -> Result<T, E> {
        Ok(stored.clone())
    }

    fn take(&self, stored: T) -> Result<T, E> {
        Ok(stored)
    }

    fn judge<'r>(&self, result: &'r Result<T, E>) -> Verdict<T, &'r E> {
        match result {
            Ok(value) => Verdict::Value(value.clone()),
            Err(error) => Verdict::Failed(error),
        }
    }

    fn error<'r>(&self, result: &'r Result<T, E>) -> Option<&'r E> {
        result.as_ref().err()
    }

    fn value<'s>(&self, stored: &'s T) -> Option<&'s T> {
        Some(stored)
    }

    fn keep_error(&self, _error: &E) -> Option<T> {
        None
    }

    fn codec(&self) -> Option<Codec<Self::Stored>> {
        self.codec
    }

    fn share_error(&self, error: &E) -> Option<Share<Result<T, E>>> {
        let error = self.share?(error);
        Some(Arc::new(move || Err(error())))
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Outcome<Result<Option<T>, E>> for FallibleOptional<T, E>
where
    T: Clone + Send + Sync + 'static,
    E: 'static,
{
    type Stored = Option<T>;
    type Value = T;
    type Error = E;

    #[inline]
    fn give(&self, stored: &Option<T>) -> Result<Option<T>, E> {
        Ok(stored.clone())
    }

    fn take(&self, stored: Option<T>) -> Result<Option<T>, E> {
        Ok(stored)
    }

    fn judge<'r>(&self, result: &'r Result<Option<T>, E>) -> Verdict<Option<T>, &'r E> {
        match result {
            Ok(Some(value)) => Verdict::Value(Some(value.clone())),
            Ok(None) => Verdict::Nothing(None),
            Err(error) => Verdict::Failed(error),
        }
    }

    fn error<'r>(&self, result: &'r Result<Option<T>, E>) -> Option<&'r E> {
        result.as_ref().err()
    }

    fn value<'s>(&self, stored: &'s Option<T>) -> Option<&'s T> {
        stored.as_ref()
    }

    fn keep_error(&self, _error: &E) -> Option<Option<T>> {
        None
    }

    fn codec(&self) -> Option<Codec<Self::Stored>> {
        self.codec
    }

    fn share_error(&self, error: &E) -> Option<Share<Result<Option<T>, E>>> {
        let error = self.share?(error);
        Some(Arc::new(move || Err(error())))
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Outcome<Result<T, E>> for Whole<T, E>
where
    T: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    type Stored = Result<T, E>;
    type Value = T;
    type Error = E;

    #[inline]
    fn give(&self, stored: &Result<T, E>) -> Result<T, E> {
        stored.clone()
    }

    fn take(&self, stored: Result<T, E>) -> Result<T, E> {
        stored
    }

    fn judge<'r>(&self, result: &'r Result<T, E>) -> Verdict<Result<T, E>, &'r E> {
        match result {
            Ok(_) => Verdict::Value(result.clone()),
            Err(error) => Verdict::Failed(error),
        }
    }

    fn error<'r>(&self, result: &'r Result<T, E>) -> Option<&'r E> {
        result.as_ref().err()
    }

    fn value<'s>(&self, stored: &'s Result<T, E>) -> Option<&'s T> {
        stored.as_ref().ok()
    }

    fn keep_error(&self, error: &E) -> Option<Result<T, E>> {
        Some(Err(error.clone()))
    }

    fn codec(&self) -> Option<Codec<Self::Stored>> {
        self.codec
    }

    fn share_error(&self, error: &E) -> Option<Share<Result<T, E>>> {
        let error = error.clone();
        Some(Arc::new(move || Err(error.clone())))
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Outcome<Result<Option<T>, E>> for WholeOptional<T, E>
where
    T: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    type Stored = Result<Option<T>, E>;
    type Value = T;
    type Error = E;

    #[inline]
    fn give(&self, stored: &Self::Stored) -> Self::Stored {
        stored.clone()
    }

    fn take(&self, stored: Self::Stored) -> Self::Stored {
        stored
    }

    fn judge<'r>(&self, result: &'r Self::Stored) -> Verdict<Self::Stored, &'r E> {
        match result {
            Ok(Some(_)) => Verdict::Value(result.clone()),
            Ok(None) => Verdict::Nothing(result.clone()),
            Err(error) => Verdict::Failed(error),
        }
    }

    fn error<'r>(&self, result: &'r Self::Stored) -> Option<&'r E> {
        result.as_ref().err()
    }

    fn value<'s>(&self, stored: &'s Self::Stored) -> Option<&'s T> {
        stored.as_ref().ok()?.as_ref()
    }

    fn keep_error(&self, error: &E) -> Option<Self::Stored> {
        Some(Err(error.clone()))
    }

    fn codec(&self) -> Option<Codec<Self::Stored>> {
        self.codec
    }

    fn share_error(&self, error: &E) -> Option<Share<Self::Stored>> {
        let error = error.clone();
        Some(Arc::new(move || Err(error.clone())))
    }
}

/// What is not cached at all, because `cache_err` does not fit: there is none of it.
pub struct NoKind<R> {
    never: Infallible,
    result: PhantomData<fn() -> R>,
}

impl<R> NoKind<R> {
    /// The mistake has been explained.
    pub fn shared(self) -> Self {
        self
    }
}

impl<R> Clone for NoKind<R> {
    fn clone(&self) -> Self {
        match self.never {}
    }
}

#[diagnostic::do_not_recommend]
impl<R: 'static> Outcome<R> for NoKind<R> {
    type Stored = Infallible;
    type Value = R;
    type Error = Infallible;

    fn give(&self, _stored: &Infallible) -> R {
        match self.never {}
    }

    fn take(&self, _stored: Infallible) -> R {
        match self.never {}
    }

    fn judge<'r>(&self, _result: &'r R) -> Verdict<Infallible, &'r Infallible> {
        match self.never {}
    }

    fn error<'r>(&self, _result: &'r R) -> Option<&'r Infallible> {
        match self.never {}
    }

    fn value<'s>(&self, _stored: &'s Infallible) -> Option<&'s R> {
        match self.never {}
    }

    fn keep_error(&self, _error: &Infallible) -> Option<Infallible> {
        match self.never {}
    }

    fn codec(&self) -> Option<Codec<Infallible>> {
        match self.never {}
    }

    fn share_error(&self, _error: &Infallible) -> Option<Share<R>> {
        match self.never {}
    }
}
