// The README is the crate page. Its links lead to files, for those who read it beside the source;
// the definitions here come first and lead to the pages of the guide.
//! [start]: guide::start
//! [keys]: guide::arguments_and_keys
//! [expiry]: guide::expiry
//! [stale]: guide::stale
//! [refresh_ahead]: guide::refresh_ahead
//! [timeouts]: guide::timeouts
//! [negative]: guide::negative
//! [single_flight]: guide::single_flight
//! [conditions]: guide::conditions
//! [invalidation]: guide::invalidation
//! [batch]: guide::batch
//! [methods]: guide::methods
//! [fragments]: guide::fragments
//! [http]: guide::http
//! [views]: guide::views
//! [per_user_pages]: guide::per_user_pages
//! [entry]: guide::entry
//! [cache]: guide::cache
//! [stores]: guide::stores
//! [several_instances]: guide::several_instances
//! [guarantees]: guide::guarantees
//! [configuration]: guide::configuration
//! [statistics]: guide::statistics
//! [dashboard]: guide::dashboard
//! [testing]: guide::testing
//! [errors]: guide::errors
//! [options]: guide::options
//! [comparison]: guide::comparison
//! [results]: https://github.com/dewar-rs/dewar/blob/main/benches/RESULTS.md
//! [examples]: https://github.com/dewar-rs/dewar/tree/main/examples
//! [mit]: https://github.com/dewar-rs/dewar/blob/main/LICENSE-MIT
//! [apache]: https://github.com/dewar-rs/dewar/blob/main/LICENSE-APACHE
#![doc = ""]
#![doc = include_str!("../README.md")]

#[cfg(any(doc, doctest))]
pub mod guide;

#[cfg(feature = "seal")]
pub use cached_core::SealKey;
#[cfg(feature = "axum")]
pub use cached_core::axum;
#[cfg(feature = "dashboard")]
pub use cached_core::dashboard;
#[cfg(feature = "tower")]
pub use cached_core::http;
#[cfg(feature = "metrics")]
pub use cached_core::metrics;
/// `{% call cached(…) %}` in minijinja's templates.
#[cfg(feature = "minijinja")]
pub use cached_core::minijinja;
pub use cached_core::{
    BatchEntry, Blocking, BlockingBatchEntry, BlockingEntry, BoxFuture, Cache, CacheBuilder,
    CacheKey, CacheableError, ComparedKey, Entry, Error, Event, EventKeys, EventKind,
    EvictionReason, Expiry, Fragment, FromTimedOut, FunctionStats, Histogram, IntoTimeout,
    Invalidated, Invalidation, Label, MissReason, Operation, Report, Runtime, Shareable, Stats,
    StoreKind, TimedOut, Value, fragment, testing,
};
#[cfg(feature = "config")]
pub use cached_core::{CacheConfig, Seconds, Secret};
#[cfg(feature = "stores")]
pub use cached_core::{Format, store};
pub use cached_macros::{cached, entry, invalidate, invalidates, stats};

#[doc(hidden)]
pub use cached_core::__private;
