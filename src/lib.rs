#![doc = include_str!("../README.md")]

pub use cached_core::{
    Blocking, BlockingEntry, BoxFuture, Cache, CacheBuilder, CacheKey, Cacheable, CacheableError,
    Entry, Error, Expiry, FromTimedOut, IntoTimeout, Invalidated, Invalidation, Label, Runtime,
    Stats, StoreKind, TimedOut, Value, testing,
};
#[cfg(feature = "config")]
pub use cached_core::{CacheConfig, Seconds};
pub use cached_macros::{cached, entry, invalidate, invalidates};

#[doc(hidden)]
pub use cached_core::__private;
