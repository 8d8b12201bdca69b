//! Testing code that caches, without sleeping and without tests getting in each other's way.
//!
//! ```
//! use dewar::{cached, testing};
//! use std::time::Duration;
//!
//! #[cached(timeout = 60)]
//! fn price(product: u64) -> u64 {
//!     product * 10
//! }
//!
//! testing::isolated(|cache| {
//!     price(1);
//!     cache.advance(Duration::from_secs(59));
//!     price(1);
//!     cache.advance(Duration::from_secs(1));
//!     price(1);
//!     assert_eq!((cache.stats().hits, cache.stats().loads), (1, 2));
//! });
//! ```

#[cfg(feature = "stores")]
mod conformance;
#[cfg(feature = "stores")]
mod store;

#[cfg(feature = "stores")]
pub use conformance::store_conformance;
#[cfg(feature = "stores")]
pub use store::{FaultyStore, Snapshot};

use std::future::Future;
use std::ops::Deref;
use std::time::Duration;

use crate::cache::Cache;
use crate::cache::builder::CacheBuilder;
pub use crate::clock::ManualClock;
use crate::error::Error;

/// A cache for one test, with a clock that stands still until the test moves it.
#[derive(Clone, Debug)]
pub struct TestCache {
    cache: Cache,
    clock: ManualClock,
}

impl TestCache {
    /// A cache with the default settings.
    pub fn new() -> Self {
        // The default settings are settings that `build` accepts.
        Self::with(Cache::builder()).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// A cache as described, but for its clock.
    ///
    /// # Errors
    /// As [`CacheBuilder::build`].
    pub fn with(builder: CacheBuilder) -> Result<Self, Error> {
        let clock = ManualClock::new();
        Ok(TestCache {
            cache: builder.clock(clock.clone()).build()?,
            clock,
        })
    }

    /// Moves the clock forward and wakes whoever waited for a time up to then.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The clock.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Has every annotated function called inside use this cache, also those that name another.
    pub fn run<T>(&self, test: impl FnOnce() -> T) -> T {
        self.cache.scope_all_blocking(test)
    }

    /// The same for a future.
    pub fn run_async<F: Future>(&self, test: F) -> impl Future<Output = F::Output> + use<F> {
        self.cache.scope_all(test)
    }
}

impl Default for TestCache {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for TestCache {
    type Target = Cache;

    fn deref(&self) -> &Cache {
        &self.cache
    }
}

/// Runs a test with a cache of its own, which every annotated function called inside uses.
pub fn isolated<T>(test: impl FnOnce(&TestCache) -> T) -> T {
    let cache = TestCache::new();
    cache.run(|| test(&cache))
}

/// The same for an asynchronous test.
///
/// ```
/// # futures::executor::block_on(async {
/// # #[dewar::cached] async fn twice(n: u64) -> u64 { n * 2 }
/// dewar::testing::isolated_async(|cache| async move {
///     twice(1).await;
///     assert_eq!(cache.stats().loads, 1);
/// })
/// .await;
/// # });
/// ```
pub async fn isolated_async<F: Future>(test: impl FnOnce(TestCache) -> F) -> F::Output {
    let cache = TestCache::new();
    let run = cache.run(|| test(cache.clone()));
    cache.run_async(run).await
}
