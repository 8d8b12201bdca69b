//! The error of a whole batch, for those who waited for one of its keys.

use std::any::Any;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

/// An error on its way from one call to another: a flight knows the type of one value only, not
/// that of the whole.
pub(crate) type Shared = dyn Any + Send + Sync;

/// How a batch hands its error on.
pub struct Sharing<R> {
    pub(super) give: fn(&R) -> Arc<Shared>,
    pub(super) take: fn(&Shared) -> Option<R>,
}

impl<R> Clone for Sharing<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Sharing<R> {}

/// Asks a result type whether its errors can be given to many: `sharable::<R>().sharing()`.
pub struct Sharable<R>(Unsharable<R>);

/// A result that is not known to be `Clone + Send + Sync`.
pub struct Unsharable<R>(PhantomData<fn() -> R>);

/// Asks about `R`.
#[inline]
pub fn sharable<R>() -> Sharable<R> {
    Sharable(Unsharable(PhantomData))
}

impl<R> Deref for Sharable<R> {
    type Target = Unsharable<R>;

    #[inline]
    fn deref(&self) -> &Unsharable<R> {
        &self.0
    }
}

impl<R: Clone + Send + Sync + 'static> Sharable<R> {
    /// They can.
    pub fn sharing(&self) -> Option<Sharing<R>> {
        Some(Sharing {
            give: |failed| Arc::new(failed.clone()),
            take: |error| error.downcast_ref().cloned(),
        })
    }
}

impl<R> Unsharable<R> {
    /// They cannot.
    pub fn sharing(&self) -> Option<Sharing<R>> {
        None
    }
}
