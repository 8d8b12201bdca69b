//! The runtime of [dewar](https://docs.rs/dewar). Use it through that crate.

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "axum")]
pub mod axum;
mod cache;
mod clock;
mod codec;
#[cfg(feature = "dashboard")]
pub mod dashboard;
mod engine;
mod error;
#[cfg(any(feature = "dashboard", feature = "metrics"))]
mod figures;
mod fragment;
#[cfg(feature = "tower")]
pub mod http;
mod key;
mod memory;
#[cfg(feature = "metrics")]
pub mod metrics;
mod outcome;
mod policy;
mod rt;
mod scope;
mod stats;
#[cfg(feature = "stores")]
pub mod store;
mod sync;
pub mod testing;
mod trace;
mod watch;

/// `{% call cached(…) %}` in minijinja's templates.
#[cfg(feature = "minijinja")]
pub mod minijinja {
    pub use crate::fragment::call_block::{cached, cached_in};
}

pub use cache::Cache;
pub use cache::api::{Expiry, Value};
pub use cache::blocking::Blocking;
pub use cache::builder::{CacheBuilder, StoreKind};
#[cfg(feature = "config")]
pub use cache::config::{CacheConfig, Seconds, Secret};
pub use cache::entry::{BlockingEntry, Entry};
pub use cache::function::FunctionStats;
pub use cache::invalidate::{Invalidated, Invalidation};
#[cfg(feature = "stores")]
pub use codec::Format;
#[cfg(feature = "seal")]
pub use codec::SealKey;
pub use engine::batch::{BatchEntry, BlockingBatchEntry};
pub use error::{Error, TimedOut};
pub use fragment::{Fragment, fragment};
pub use key::{CacheKey, ComparedKey};
pub use outcome::{CacheableError, FromTimedOut, Shareable};
pub use policy::IntoTimeout;
pub use rt::{BoxFuture, Runtime};
pub use scope::Label;
pub use stats::{Histogram, Stats};
pub use watch::{Event, EventKeys, EventKind, EvictionReason, MissReason, Operation, Report};
