//! An `Option` of a `Result`: as `transpose` makes it of the other way round.

use std::sync::Arc;

use super::kinds::{OptionalFallible, OptionalWhole};
use super::{Outcome, Share, Verdict};
use crate::codec::Codec;

#[diagnostic::do_not_recommend]
impl<T, E> Outcome<Option<Result<T, E>>> for OptionalFallible<T, E>
where
    T: Clone + Send + Sync + 'static,
    E: 'static,
{
    type Stored = Option<T>;
    type Value = T;
    type Error = E;

    #[inline]
    fn give(&self, stored: &Option<T>) -> Option<Result<T, E>> {
        stored.clone().map(Ok)
    }

    fn take(&self, stored: Option<T>) -> Option<Result<T, E>> {
        stored.map(Ok)
    }

    fn judge<'r>(&self, result: &'r Option<Result<T, E>>) -> Verdict<Option<T>, &'r E> {
        match result {
            Some(Ok(value)) => Verdict::Value(Some(value.clone())),
            None => Verdict::Nothing(None),
            Some(Err(error)) => Verdict::Failed(error),
        }
    }

    fn error<'r>(&self, result: &'r Option<Result<T, E>>) -> Option<&'r E> {
        result.as_ref()?.as_ref().err()
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

    fn share_error(&self, error: &E) -> Option<Share<Option<Result<T, E>>>> {
        let error = self.share?(error);
        Some(Arc::new(move || Some(Err(error()))))
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Outcome<Option<Result<T, E>>> for OptionalWhole<T, E>
where
    T: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    type Stored = Option<Result<T, E>>;
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
            Some(Ok(_)) => Verdict::Value(result.clone()),
            None => Verdict::Nothing(None),
            Some(Err(error)) => Verdict::Failed(error),
        }
    }

    fn error<'r>(&self, result: &'r Self::Stored) -> Option<&'r E> {
        result.as_ref()?.as_ref().err()
    }

    fn value<'s>(&self, stored: &'s Self::Stored) -> Option<&'s T> {
        stored.as_ref()?.as_ref().ok()
    }

    fn keep_error(&self, error: &E) -> Option<Self::Stored> {
        Some(Some(Err(error.clone())))
    }

    fn codec(&self) -> Option<Codec<Self::Stored>> {
        self.codec
    }

    fn share_error(&self, error: &E) -> Option<Share<Self::Stored>> {
        let error = error.clone();
        Some(Arc::new(move || Some(Err(error.clone()))))
    }
}
