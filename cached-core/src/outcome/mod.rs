//! Which results are kept, decided by the resolved type.
//!
//! A function may return a plain value, an `Option`, a `Result`, or one of the two in
//! the other, under whatever alias: generated code asks [`Out`], and method look-up finds the most special
//! answer through `Deref` (as in `key::probe`). `None` and `Err` are returned and not stored,
//! unless the options `cache_none` and `cache_err` say otherwise; the error is handed to those who
//! waited for the same load where it can be cloned.
//!
//! *Stored* is what an entry holds, *value* what the closures of the options see: the plain value
//! inside `Some` and `Ok`.

mod kinds;
mod probe;
mod transposed;

pub(crate) use kinds::{
    Fallible, FallibleOptional, NoKind, Optional, OptionalFallible, OptionalWhole, Plain, Whole,
    WholeOptional,
};
pub use probe::{Succeeded, out, out_borrowed};

use std::sync::Arc;

use crate::codec::Codec;
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
#[diagnostic::on_unimplemented(
    message = "`{R}` cannot be cached",
    label = "a cached result is handed to many callers on many threads",
    note = "what is remembered must be `Clone + Send + Sync + 'static`: derive `Clone`, or return it inside an `Arc`"
)]
pub trait Outcome<R>: Clone + Send + Sync + 'static {
    /// What an entry holds.
    type Stored: Clone + Send + Sync + 'static;
    /// What the closures of the options see.
    type Value: ?Sized;
    /// The error, where there is one.
    type Error;

    /// The result made of what an entry holds.
    fn give(&self, stored: &Self::Stored) -> R;
    /// The same of what no entry holds.
    fn take(&self, stored: Self::Stored) -> R;
    /// What the result is.
    fn judge<'r>(&self, result: &'r R) -> Verdict<Self::Stored, &'r Self::Error>;
    /// The error, if it is one; cheaper than to judge, where that clones.
    fn error<'r>(&self, result: &'r R) -> Option<&'r Self::Error>;
    /// The value inside, if there is one.
    fn value<'s>(&self, stored: &'s Self::Stored) -> Option<&'s Self::Value>;
    /// An error to store.
    fn keep_error(&self, error: &Self::Error) -> Option<Self::Stored>;
    /// How what an entry holds travels to a shared store; none if it cannot.
    fn codec(&self) -> Option<Codec<Self::Stored>>;
    /// An error for those who waited.
    fn share_error(&self, error: &Self::Error) -> Option<Share<R>>;
}

/// A result whose errors can be remembered.
#[diagnostic::on_unimplemented(
    message = "`cache_err` cannot store the errors of `{Self}`",
    label = "not a `Result` whose error is `Clone + Send + Sync + 'static`",
    note = "derive `Clone` on the error, or wrap it in an `Arc`, or leave `cache_err` out"
)]
pub trait CacheableError {
    /// There is none: no type implements this.
    #[doc(hidden)]
    fn none() -> NoKind<Self>
    where
        Self: Sized;
}

/// A result that other processes can read.
#[diagnostic::on_unimplemented(
    message = "`shared` asks for a result that can be serialised, and `{Self}` cannot",
    label = "what is stored of it is not `serde::Serialize + serde::de::DeserializeOwned`",
    note = "derive `serde::Serialize` and `serde::Deserialize` on it, or leave `shared` out: it then stays in this process' memory"
)]
pub trait Shareable {
    /// There is none: no type implements this.
    #[doc(hidden)]
    fn none() -> NoKind<Self>
    where
        Self: Sized;
}

/// Results and errors that other processes can read, where both are stored.
#[diagnostic::on_unimplemented(
    message = "`shared` asks for results and, by `cache_err`, errors that can be serialised, and `{Self}` cannot",
    label = "what is stored of it is not `serde::Serialize + serde::de::DeserializeOwned`",
    note = "derive `serde::Serialize` and `serde::Deserialize` on the value and on the error, or leave `shared` out: it then stays in this process' memory"
)]
pub trait ShareableWhole {}

#[diagnostic::do_not_recommend]
impl<T: serde_core::Serialize + serde_core::de::DeserializeOwned> ShareableWhole for T {}

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

#[diagnostic::do_not_recommend]
impl<T, E: From<TimedOut>> FromTimedOut for Result<T, E> {
    fn from_timed_out(error: TimedOut) -> Self {
        Err(error.into())
    }
}
