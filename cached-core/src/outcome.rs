//! Which results are kept, decided by the resolved type.
//!
//! A function may return a plain value, an `Option`, a `Result` or a `Result` of an `Option`,
//! under whatever alias: generated code asks [`Out`], and method look-up finds the most special
//! answer through `Deref` (as in `key::probe`). `None` and `Err` are returned and not stored,
//! unless the options `cache_none` and `cache_err` say otherwise; the error is handed to those who
//! waited for the same load where it can be cloned.
//!
//! *Stored* is what an entry holds, *value* what the closures of the options see: the plain value
//! inside `Some` and `Ok`.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use crate::error::TimedOut;

/// Gives a result once more, for another caller.
pub(crate) type Share<R> = Arc<dyn Fn() -> R + Send + Sync>;

/// What a result is.
#[derive(Debug)]
pub enum Verdict<S, E> {
    /// A value: stored.
    Value(S),
    /// `None` or `Ok(None)`: stored with `cache_none`.
    Nothing(S),
    /// An `Err`: stored with `cache_err`, where it can be.
    Failed(E),
}

/// How results of type `R` are taken apart and put together again.
pub trait Outcome<R>: Clone + Send + Sync + 'static {
    /// What an entry holds.
    type Stored: Clone + Send + Sync + 'static;
    /// What the closures of the options see.
    type Value: ?Sized;
    /// The error, where there is one.
    type Error;

    /// The result made of what an entry holds.
    fn give(&self, stored: &Self::Stored) -> R;
    /// What the result is.
    fn judge<'r>(&self, result: &'r R) -> Verdict<Self::Stored, &'r Self::Error>;
    /// The value inside, if there is one.
    fn value<'s>(&self, stored: &'s Self::Stored) -> Option<&'s Self::Value>;
    /// An error to store.
    fn keep_error(&self, error: &Self::Error) -> Option<Self::Stored>;
    /// An error for those who waited.
    fn share_error(&self, error: &Self::Error) -> Option<Share<R>>;
}

/// A plain value.
pub struct Plain<T>(PhantomData<fn() -> T>);

/// An `Option`.
pub struct Optional<T>(PhantomData<fn() -> T>);

/// A `Result`.
pub struct Fallible<T, E> {
    share: Option<ShareError<E>>,
    result: PhantomData<fn() -> T>,
}

/// A `Result` of an `Option`.
pub struct FallibleOptional<T, E> {
    share: Option<ShareError<E>>,
    result: PhantomData<fn() -> T>,
}

/// A `Result` whose errors are stored too.
pub struct Whole<T, E>(PhantomData<fn() -> (T, E)>);

/// A `Result` of an `Option` whose errors are stored too.
pub struct WholeOptional<T, E>(PhantomData<fn() -> (T, E)>);

type ShareError<E> = fn(&E) -> Share<E>;

macro_rules! clone {
    ($($t:ident<$($p:ident),*> $make:expr;)*) => {$(
        impl<$($p),*> Clone for $t<$($p),*> {
            fn clone(&self) -> Self {
                let make: fn(&Self) -> Self = $make;
                make(self)
            }
        }
    )*};
}

clone! {
    Plain<T> |_| Plain(PhantomData);
    Optional<T> |_| Optional(PhantomData);
    Fallible<T, E> |this| Fallible { share: this.share, result: PhantomData };
    FallibleOptional<T, E> |this| FallibleOptional { share: this.share, result: PhantomData };
    Whole<T, E> |_| Whole(PhantomData);
    WholeOptional<T, E> |_| WholeOptional(PhantomData);
}

fn share_clone<E: Clone + Send + Sync + 'static>(error: &E) -> Share<E> {
    let error = error.clone();
    Arc::new(move || error.clone())
}

impl<T: Clone + Send + Sync + 'static> Outcome<T> for Plain<T> {
    type Stored = T;
    type Value = T;
    type Error = Infallible;

    #[inline]
    fn give(&self, stored: &T) -> T {
        stored.clone()
    }

    fn judge<'r>(&self, result: &'r T) -> Verdict<T, &'r Infallible> {
        Verdict::Value(result.clone())
    }

    fn value<'s>(&self, stored: &'s T) -> Option<&'s T> {
        Some(stored)
    }

    fn keep_error(&self, error: &Infallible) -> Option<T> {
        match *error {}
    }

    fn share_error(&self, error: &Infallible) -> Option<Share<T>> {
        match *error {}
    }
}

impl<T: Clone + Send + Sync + 'static> Outcome<Option<T>> for Optional<T> {
    type Stored = Option<T>;
    type Value = T;
    type Error = Infallible;

    #[inline]
    fn give(&self, stored: &Option<T>) -> Option<T> {
        stored.clone()
    }

    fn judge<'r>(&self, result: &'r Option<T>) -> Verdict<Option<T>, &'r Infallible> {
        match result {
            Some(_) => Verdict::Value(result.clone()),
            None => Verdict::Nothing(None),
        }
    }

    fn value<'s>(&self, stored: &'s Option<T>) -> Option<&'s T> {
        stored.as_ref()
    }

    fn keep_error(&self, error: &Infallible) -> Option<Option<T>> {
        match *error {}
    }

    fn share_error(&self, error: &Infallible) -> Option<Share<Option<T>>> {
        match *error {}
    }
}

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

    fn judge<'r>(&self, result: &'r Result<T, E>) -> Verdict<T, &'r E> {
        match result {
            Ok(value) => Verdict::Value(value.clone()),
            Err(error) => Verdict::Failed(error),
        }
    }

    fn value<'s>(&self, stored: &'s T) -> Option<&'s T> {
        Some(stored)
    }

    fn keep_error(&self, _error: &E) -> Option<T> {
        None
    }

    fn share_error(&self, error: &E) -> Option<Share<Result<T, E>>> {
        let error = self.share?(error);
        Some(Arc::new(move || Err(error())))
    }
}

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

    fn judge<'r>(&self, result: &'r Result<Option<T>, E>) -> Verdict<Option<T>, &'r E> {
        match result {
            Ok(Some(value)) => Verdict::Value(Some(value.clone())),
            Ok(None) => Verdict::Nothing(None),
            Err(error) => Verdict::Failed(error),
        }
    }

    fn value<'s>(&self, stored: &'s Option<T>) -> Option<&'s T> {
        stored.as_ref()
    }

    fn keep_error(&self, _error: &E) -> Option<Option<T>> {
        None
    }

    fn share_error(&self, error: &E) -> Option<Share<Result<Option<T>, E>>> {
        let error = self.share?(error);
        Some(Arc::new(move || Err(error())))
    }
}

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

    fn judge<'r>(&self, result: &'r Result<T, E>) -> Verdict<Result<T, E>, &'r E> {
        match result {
            Ok(_) => Verdict::Value(result.clone()),
            Err(error) => Verdict::Failed(error),
        }
    }

    fn value<'s>(&self, stored: &'s Result<T, E>) -> Option<&'s T> {
        stored.as_ref().ok()
    }

    fn keep_error(&self, error: &E) -> Option<Result<T, E>> {
        Some(Err(error.clone()))
    }

    fn share_error(&self, error: &E) -> Option<Share<Result<T, E>>> {
        let error = error.clone();
        Some(Arc::new(move || Err(error.clone())))
    }
}

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

    fn judge<'r>(&self, result: &'r Self::Stored) -> Verdict<Self::Stored, &'r E> {
        match result {
            Ok(Some(_)) => Verdict::Value(result.clone()),
            Ok(None) => Verdict::Nothing(result.clone()),
            Err(error) => Verdict::Failed(error),
        }
    }

    fn value<'s>(&self, stored: &'s Self::Stored) -> Option<&'s T> {
        stored.as_ref().ok()?.as_ref()
    }

    fn keep_error(&self, error: &E) -> Option<Self::Stored> {
        Some(Err(error.clone()))
    }

    fn share_error(&self, error: &E) -> Option<Share<Self::Stored>> {
        let error = error.clone();
        Some(Arc::new(move || Err(error.clone())))
    }
}

/// Asks a result type what it is: `Out::<R>::new().kind()`.
pub struct Out<R>(OutShared<R>);

/// A `Result` whose error can be cloned has been ruled out of being optional.
pub struct OutShared<R>(OutOptional<R>);

/// An error that can not be cloned.
pub struct OutOptional<R>(OutResult<R>);

/// A `Result` of anything.
pub struct OutResult<R>(OutPlain<R>);

/// Anything.
pub struct OutPlain<R>(PhantomData<fn() -> R>);

macro_rules! next {
    ($($this:ident => $next:ident),*) => {$(
        impl<R> Deref for $this<R> {
            type Target = $next<R>;
            #[inline]
            fn deref(&self) -> &$next<R> { &self.0 }
        }
    )*};
}

next!(Out => OutShared, OutShared => OutOptional, OutOptional => OutResult, OutResult => OutPlain);

impl<R> Out<R> {
    /// Asks about `R`.
    #[inline]
    #[expect(clippy::new_without_default, reason = "a question, not a value")]
    pub fn new() -> Self {
        Out(OutShared(OutOptional(OutResult(OutPlain(PhantomData)))))
    }
}

impl<T, E: Clone + Send + Sync + 'static> Out<Result<Option<T>, E>> {
    /// A `Result` of an `Option` whose error waiters can be given.
    #[inline]
    pub fn kind(&self) -> FallibleOptional<T, E> {
        FallibleOptional {
            share: Some(share_clone),
            result: PhantomData,
        }
    }

    /// The same, errors stored too.
    pub fn whole(&self) -> WholeOptional<T, E> {
        WholeOptional(PhantomData)
    }
}

impl<T, E: Clone + Send + Sync + 'static> OutShared<Result<T, E>> {
    /// A `Result` whose error waiters can be given.
    #[inline]
    pub fn kind(&self) -> Fallible<T, E> {
        Fallible {
            share: Some(share_clone),
            result: PhantomData,
        }
    }

    /// The same, errors stored too.
    pub fn whole(&self) -> Whole<T, E> {
        Whole(PhantomData)
    }
}

impl<T, E> OutOptional<Result<Option<T>, E>> {
    /// A `Result` of an `Option`.
    #[inline]
    pub fn kind(&self) -> FallibleOptional<T, E> {
        FallibleOptional {
            share: None,
            result: PhantomData,
        }
    }
}

impl<T, E> OutResult<Result<T, E>> {
    /// A `Result`.
    #[inline]
    pub fn kind(&self) -> Fallible<T, E> {
        Fallible {
            share: None,
            result: PhantomData,
        }
    }
}

impl<T> OutResult<Option<T>> {
    /// An `Option`.
    #[inline]
    pub fn kind(&self) -> Optional<T> {
        Optional(PhantomData)
    }
}

impl<R> OutPlain<R> {
    /// Any value.
    #[inline]
    pub fn kind(&self) -> Plain<R>
    where
        R: Cacheable,
    {
        Plain(PhantomData)
    }

    /// Any value, where errors were to be stored: there are none.
    pub fn whole(&self) -> Plain<R>
    where
        R: CacheableError,
    {
        Plain(PhantomData)
    }
}

/// A result that can be remembered.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cached",
    label = "a cached result is handed to many callers on many threads",
    note = "make it `Clone + Send + Sync + 'static`, or return it inside an `Arc`"
)]
pub trait Cacheable: Clone + Send + Sync + 'static {}

impl<T: Clone + Send + Sync + 'static> Cacheable for T {}

/// A result whose errors can be remembered.
#[diagnostic::on_unimplemented(
    message = "`cache_err` cannot store the errors of `{Self}`",
    label = "not a `Result` whose error is `Clone + Send + Sync + 'static`",
    note = "derive `Clone` on the error, or wrap it in an `Arc`, or leave `cache_err` out"
)]
pub trait CacheableError {}

/// An error that `hard_timeout` can be turned into.
#[diagnostic::on_unimplemented(
    message = "`hard_timeout` has no error to return from `{Self}`",
    label = "this function cannot say that its load took too long",
    note = "return a `Result` whose error implements `From<dewar::TimedOut>`"
)]
pub trait FromTimedOut {
    /// The error.
    fn from_timed_out(error: TimedOut) -> Self;
}

impl<T, E: From<TimedOut>> FromTimedOut for Result<T, E> {
    fn from_timed_out(error: TimedOut) -> Self {
        Err(error.into())
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
