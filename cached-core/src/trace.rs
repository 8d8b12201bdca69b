//! What is told to `tracing`, where the feature is on; nothing at all where it is off.
//!
//! The target is `dewar`; names of events, spans and fields are stable and listed in the guide's
//! page on traces. Values are never told, arguments as far as [`EventKeys`](crate::EventKeys) lets
//! them be.

use crate::engine::Engine;
use crate::error::Error;
use crate::watch::{Event, Named};

#[cfg(feature = "tracing")]
mod on {
    use tracing::field::Empty;
    use tracing::level_filters::LevelFilter;
    use tracing::{Level, Span, event, span};

    use super::{Engine, Error, Event, Named};
    use crate::watch::EventKind;

    /// Whether anybody listens to what happens to entries.
    #[inline]
    pub(crate) fn is_on() -> bool {
        LevelFilter::current() >= LevelFilter::DEBUG
            && tracing::enabled!(target: "dewar", Level::DEBUG)
    }

    /// Whether anybody might listen to hits, on this thread or another.
    pub(crate) fn may_be_told_of_hits() -> bool {
        LevelFilter::current() >= LevelFilter::TRACE
    }

    /// Whether anybody listens to hits on this thread.
    pub(crate) fn is_told_of_hits() -> bool {
        may_be_told_of_hits() && tracing::enabled!(target: "dewar", Level::TRACE)
    }

    /// Everything that is told to hooks as well, but for the circuit.
    pub(crate) fn told(told: &Event) {
        macro_rules! tell {
            ($name:literal, $level:ident $(, $field:ident = $value:expr)*) => {
                event!(
                    name: $name,
                    target: "dewar",
                    Level::$level,
                    cache.name = &*told.cache,
                    cache.function = told.function,
                    cache.key = told.key.as_deref(),
                    cache.outcome = told.kind.name(),
                    $(cache.$field = $value,)*
                )
            };
        }
        match &told.kind {
            EventKind::Hit => tell!("cache.hit", TRACE),
            EventKind::Stale => tell!("cache.stale", DEBUG),
            EventKind::Miss(why) => tell!("cache.miss", DEBUG, reason = why.as_str()),
            EventKind::Waited => tell!("cache.wait", DEBUG),
            EventKind::Loaded { time, failed } => {
                let seconds = time.as_secs_f64();
                tell!("cache.loaded", DEBUG, failed = failed, seconds = seconds);
            }
            EventKind::Stored => tell!("cache.store", DEBUG),
            EventKind::Rejected => tell!("cache.reject", DEBUG),
            EventKind::Evicted(why) => tell!("cache.evict", TRACE, reason = why.as_str()),
            EventKind::Invalidated(what) => {
                tell!("cache.invalidate", DEBUG, what = what.join(", "));
            }
            EventKind::StoreFailed(error) => {
                tell!("cache.store_failed", DEBUG, error = error.as_str());
            }
            EventKind::CircuitOpened | EventKind::CircuitClosed => {}
        }
    }

    /// A load, from its beginning to its end, whichever task runs its body.
    pub(crate) struct Load(Span);

    impl Load {
        pub(crate) const NONE: Load = Load(Span::none());

        /// The load of one key, or of so many at once.
        pub(crate) fn new(
            engine: &Engine,
            function: &str,
            key: Option<Named<'_>>,
            keys: usize,
        ) -> Load {
            if !tracing::span_enabled!(target: "dewar", Level::INFO) {
                return Load::NONE;
            }
            let key = key.and_then(|key| engine.watch.shown(function, key));
            Load(span!(
                target: "dewar",
                Level::INFO,
                "cache.load",
                cache.name = &*engine.name,
                cache.function = function,
                cache.key = key.as_deref(),
                cache.keys = keys,
                cache.outcome = Empty
            ))
        }

        pub(crate) fn is_none(&self) -> bool {
            self.0.is_none()
        }

        /// What runs on this thread belongs to the load, as long as the guard lives.
        pub(crate) fn enter(&self) -> tracing::span::Entered<'_> {
            self.0.enter()
        }

        pub(crate) fn ended(&self, outcome: &'static str) {
            self.0.record("cache.outcome", outcome);
        }
    }

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

    #[cold]
    #[inline(never)]
    pub(crate) fn unresolved(function: &str, error: &Error) {
        event!(name: "cache.unresolved", target: "dewar", Level::ERROR, cache.function = function,
            cache.error = %error,
            "the function's cache cannot be found; it runs uncached"
        );
    }

    pub(crate) fn refused(error: &Error) {
        let error = error.for_log();
        event!(name: "cache.refused", target: "dewar", Level::ERROR, cache.error = %error,
            "an invalidation names what is not there; the rest of it is carried out"
        );
    }

    pub(crate) fn background_failed(cache: &str) {
        event!(name: "cache.background_failed", target: "dewar", Level::WARN, cache.name = cache,
            "a background load failed; the next is held back"
        );
    }

    pub(crate) fn repeated(engine: &Engine, function: &str) {
        event!(name: "cache.repeated", target: "dewar", Level::WARN, cache.name = engine.name,
            cache.function = function,
            "a batch returned several values for one key: they are handed out, and not stored; \
             return a map of `Vec`s to store them"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn memory_only(cache: &str, function: &str, why: &str) {
        event!(name: "cache.memory_only", target: "dewar", Level::WARN, cache.name = cache,
            cache.function = function, cache.reason = why,
            "the results stay in this process' memory; say `local` if that is meant"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn store_down(cache: &str, store: &str) {
        event!(name: "cache.circuit_opened", target: "dewar", Level::ERROR, cache.name = cache,
            cache.store = store, cache.outcome = "circuit_opened",
            "the shared store does not answer: it is left alone, and asked again now and then"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn store_failing(cache: &str, store: &str, error: &Error) {
        event!(name: "cache.store_failing", target: "dewar", Level::WARN, cache.name = cache,
            cache.store = store, cache.error = %error,
            "an operation of the shared store failed; more of them within a minute are told at \
             the level DEBUG"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn undelivered(cache: &str, store: &str, error: &Error) {
        event!(name: "cache.undelivered", target: "dewar", Level::ERROR, cache.name = cache,
            cache.store = store, cache.error = %error,
            "an invalidation has not reached the shared store and the other processes: it is kept, \
             and tried again"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn delivered(cache: &str, store: &str) {
        event!(name: "cache.delivered", target: "dewar", Level::INFO, cache.name = cache,
            cache.store = store,
            "all that was invalidated has reached the shared store and the other processes"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn store_up(cache: &str, store: &str) {
        event!(name: "cache.circuit_closed", target: "dewar", Level::INFO, cache.name = cache,
            cache.store = store, cache.outcome = "circuit_closed",
            "the shared store answers again"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn channel_up(cache: &str, store: &str) {
        event!(name: "cache.channel_up", target: "dewar", Level::INFO, cache.name = cache,
            cache.store = store,
            "invalidations by other processes are heard of at once"
        );
    }

    #[cfg(feature = "stores")]
    pub(crate) fn channel_lost(cache: &str, store: &str, error: &Error) {
        event!(name: "cache.channel_lost", target: "dewar", Level::WARN, cache.name = cache,
            cache.store = store, cache.error = %error,
            "other processes cannot be heard: copies in memory live shortly until they can"
        );
    }

    pub(crate) fn drop_panicked() {
        event!(name: "cache.drop_panicked", target: "dewar", Level::ERROR, "a value panicked while it was dropped");
    }

    pub(crate) fn weigher_panicked() {
        event!(name: "cache.weigher_panicked", target: "dewar", Level::ERROR, "the weigher panicked; the value is not stored");
    }

    pub(crate) fn hook_panicked() {
        event!(name: "cache.hook_panicked", target: "dewar", Level::ERROR, "an event hook panicked");
    }

    pub(crate) fn sweep_panicked() {
        event!(name: "cache.sweep_panicked", target: "dewar", Level::ERROR, "a sweep of expired entries panicked");
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn recorder_panicked() {
        event!(name: "cache.recorder_panicked", target: "dewar", Level::ERROR, "the recorder of the `metrics` facade panicked");
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use super::{Engine, Error, Event, Named};

    #[inline]
    pub(crate) fn is_on() -> bool {
        false
    }

    pub(crate) fn may_be_told_of_hits() -> bool {
        false
    }

    pub(crate) fn is_told_of_hits() -> bool {
        false
    }

    pub(crate) fn told(_told: &Event) {}

    pub(crate) struct Load;

    pub(crate) struct Inside;

    impl Load {
        pub(crate) const NONE: Load = Load;

        pub(crate) fn new(_: &Engine, _: &str, _: Option<Named<'_>>, _: usize) -> Load {
            Load
        }

        pub(crate) fn is_none(&self) -> bool {
            true
        }

        pub(crate) fn enter(&self) -> Inside {
            Inside
        }

        pub(crate) fn ended(&self, _outcome: &'static str) {}
    }

    pub(crate) struct Here;

    impl Here {
        pub(crate) fn new() -> Self {
            Here
        }

        pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
            work()
        }
    }

    pub(crate) fn unresolved(_function: &str, _error: &Error) {}
    pub(crate) fn refused(_error: &Error) {}
    pub(crate) fn background_failed(_cache: &str) {}
    pub(crate) fn repeated(_engine: &Engine, _function: &str) {}
    #[cfg(feature = "stores")]
    pub(crate) fn memory_only(_cache: &str, _function: &str, _why: &str) {}
    #[cfg(feature = "stores")]
    pub(crate) fn store_down(_cache: &str, _store: &str) {}
    #[cfg(feature = "stores")]
    pub(crate) fn store_failing(_cache: &str, _store: &str, _error: &Error) {}
    #[cfg(feature = "stores")]
    pub(crate) fn undelivered(_cache: &str, _store: &str, _error: &Error) {}
    #[cfg(feature = "stores")]
    pub(crate) fn delivered(_cache: &str, _store: &str) {}
    #[cfg(feature = "stores")]
    pub(crate) fn store_up(_cache: &str, _store: &str) {}
    #[cfg(feature = "stores")]
    pub(crate) fn channel_up(_cache: &str, _store: &str) {}
    #[cfg(feature = "stores")]
    pub(crate) fn channel_lost(_cache: &str, _store: &str, _error: &Error) {}
    pub(crate) fn drop_panicked() {}
    pub(crate) fn weigher_panicked() {}
    pub(crate) fn hook_panicked() {}
    pub(crate) fn sweep_panicked() {}
    #[cfg(feature = "metrics")]
    pub(crate) fn recorder_panicked() {}
}

#[cfg(not(feature = "tracing"))]
pub(crate) use off::*;
#[cfg(feature = "tracing")]
pub(crate) use on::*;
