//! What is told to `tracing`, where the feature is on; nothing at all where it is off.
//!
//! Field names are stable: `cache.name`, `cache.function`, `cache.outcome` (`absent`, `expired`,
//! `invalidated`, `refreshed`, `stored`, `rejected`), `cache.error`. Values and arguments are
//! never told.

use crate::engine::Engine;
use crate::error::Error;
use crate::scope::ticks::Order;

#[cfg(feature = "tracing")]
mod on {
    use super::{Engine, Error, Order};

    /// The caller's span and subscriber, for a thread that works for it.
    pub(crate) struct Here(tracing::Dispatch, tracing::Span);

    impl Here {
        pub(crate) fn new() -> Self {
            let subscriber = tracing::dispatcher::get_default(Clone::clone);
            Here(subscriber, tracing::Span::current())
        }

        pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
            tracing::dispatcher::with_default(&self.0, || self.1.in_scope(work))
        }
    }

    pub(crate) fn unresolved(function: &str, error: &Error) {
        tracing::error!(
            cache.function = function,
            cache.error = %error,
            "the function's cache cannot be found; it runs uncached"
        );
    }

    pub(crate) fn refused(error: &Error) {
        tracing::error!(
            cache.error = %error,
            "an invalidation names what is not there; the rest of it is carried out"
        );
    }

    pub(crate) fn invalidated(cache: &str, order: &Order) {
        tracing::debug!(
            cache.name = cache,
            cache.scopes = order.scopes.len(),
            cache.all = order.all,
            cache.soft = order.soft,
            "invalidated"
        );
    }

    /// A read that found nothing to serve, or a result that was stored or not.
    pub(crate) fn outcome(engine: &Engine, function: &str, outcome: &'static str) {
        tracing::debug!(
            cache.name = engine.name,
            cache.function = function,
            cache.outcome = outcome
        );
    }

    pub(crate) fn background_failed(cache: &str) {
        tracing::warn!(
            cache.name = cache,
            "a background load failed; the next is held back"
        );
    }

    pub(crate) fn repeated(engine: &Engine, function: &str) {
        tracing::warn!(
            cache.name = engine.name,
            cache.function = function,
            "a batch returned several values for one key: they are handed out, and not stored; \
             return a map of `Vec`s to store them"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn memory_only(function: &str) {
        tracing::warn!(
            cache.function = function,
            "the results are not `Serialize + DeserializeOwned`: they stay in this process' memory; \
             say `local` if that is meant"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn store_failed(error: &Error) {
        tracing::debug!(cache.error = %error, "an operation of the shared store failed");
    }

    #[cfg(feature = "stores")]
    pub(crate) fn store_down(store: &str) {
        tracing::error!(
            cache.store = store,
            "the shared store does not answer: it is left alone, and asked again now and then"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn channel_up(store: &str) {
        tracing::info!(
            cache.store = store,
            "invalidations by other processes are heard of at once"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn channel_lost(store: &str, error: &Error) {
        tracing::warn!(
            cache.store = store,
            cache.error = %error,
            "other processes cannot be heard: copies in memory live shortly until they can"
        );
    }

    pub(crate) fn drop_panicked() {
        tracing::error!("a value panicked while it was dropped");
    }

    pub(crate) fn weigher_panicked() {
        tracing::error!("the weigher panicked; the value is not stored");
    }

    pub(crate) fn hook_panicked() {
        tracing::error!("an event hook panicked");
    }

    pub(crate) fn sweep_panicked() {
        tracing::error!("a sweep of expired entries panicked");
    }

    pub(crate) fn evicted(cache: &str) {
        tracing::trace!(cache.name = cache, "an entry left to make room");
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use super::{Engine, Error, Order};

    pub(crate) struct Here;

    impl Here {
        pub(crate) fn new() -> Self {
            Here
        }

        pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
            work()
        }
    }

    pub(crate) fn outcome(_engine: &Engine, _function: &str, _outcome: &'static str) {}
    pub(crate) fn unresolved(_function: &str, _error: &Error) {}
    pub(crate) fn refused(_error: &Error) {}
    pub(crate) fn invalidated(_cache: &str, _order: &Order) {}
    pub(crate) fn background_failed(_cache: &str) {}
    pub(crate) fn repeated(_engine: &Engine, _function: &str) {}
    #[cfg(feature = "stores")]
    pub(crate) fn memory_only(_function: &str) {}
    #[cfg(feature = "stores")]
    pub(crate) fn store_failed(_error: &Error) {}
    #[cfg(feature = "stores")]
    pub(crate) fn store_down(_store: &str) {}
    #[cfg(feature = "stores")]
    pub(crate) fn channel_up(_store: &str) {}
    #[cfg(feature = "stores")]
    pub(crate) fn channel_lost(_store: &str, _error: &Error) {}
    pub(crate) fn drop_panicked() {}
    pub(crate) fn weigher_panicked() {}
    pub(crate) fn hook_panicked() {}
    pub(crate) fn sweep_panicked() {}
    pub(crate) fn evicted(_cache: &str) {}
}

#[cfg(not(feature = "tracing"))]
pub(crate) use off::*;
#[cfg(feature = "tracing")]
pub(crate) use on::*;
