//! `Cache`: what users hold in their hands.
//!
//! Here: making caches ([`builder`], [`config`], [`env`]), finding them ([`registry`],
//! [`current`]), the low-level operations ([`api`], [`blocking`], [`by_hand`]), invalidation ([`invalidate`])
//! and the handles on one call's entry ([`entry`]) and on one function's statistics ([`function`]). What the operations do is decided in `engine`.

pub(crate) mod api;
pub(crate) mod blocking;
pub(crate) mod builder;
mod by_hand;
#[cfg(feature = "stores")]
mod by_store;
pub(crate) mod called;
#[cfg(feature = "config")]
pub(crate) mod config;
pub(crate) mod current;
mod deliver;
#[cfg(feature = "dashboard")]
pub(crate) mod description;
pub(crate) mod entry;
pub(crate) mod env;
pub(crate) mod function;
pub(crate) mod invalidate;
mod janitor;
mod numbers;
pub(crate) mod registry;
mod settings;
#[cfg(feature = "stores")]
mod shared;

use std::sync::Arc;

use crate::engine::{Engine, Function};
use crate::stats::Stats;
use crate::sync::lock;
use crate::watch::Operation;
use builder::CacheBuilder;

/// A cache: a memory tier of its own, with its own limits, namespace and statistics.
///
/// Cloning it gives another handle on the same cache. Annotated functions use the default cache
/// unless they name another, or are called inside [`scope`](Cache::scope).
///
/// ```
/// use dewar::Cache;
/// use std::time::Duration;
///
/// let cache = Cache::builder().max_entries(1_000).default_timeout(Duration::from_secs(60)).build()?;
/// cache.blocking().set("greeting", "hello".to_string(), Duration::from_secs(5))?;
/// assert_eq!(cache.blocking().get::<String>("greeting").as_deref(), Some("hello"));
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Clone)]
pub struct Cache(Arc<Engine>);

impl Cache {
    /// Starts to describe a cache.
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }

    pub(crate) fn from_engine(engine: Engine) -> Self {
        let engine = Arc::new(engine);
        janitor::watch(&engine);
        #[cfg(feature = "stores")]
        crate::store::listen(&engine);
        Cache(engine)
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.0
    }

    /// The name it was built with; `default` if it was given none.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How many entries it holds.
    ///
    /// Expired and invalidated ones count until they are swept, which happens every few seconds.
    pub fn len(&self) -> usize {
        self.0.memory.as_ref().map_or(0, |memory| memory.len())
    }

    /// Whether it holds no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the entries weigh: bytes where it is bounded by bytes, else their number.
    pub fn weight(&self) -> u64 {
        self.0
            .memory
            .as_ref()
            .map_or(0, |memory| memory.settled().1)
    }

    /// Takes out, now, what can no longer be served; returns how many entries that were.
    ///
    /// It is done by itself every few seconds. The cost grows with the number of entries.
    pub fn sweep(&self) -> usize {
        self.0.sweep()
    }

    /// What the cache has done so far, all functions taken together.
    pub fn stats(&self) -> Stats {
        let mut stats = self.0.counters.snapshot();
        for function in self.functions() {
            stats += function.counters.snapshot();
        }
        stats
    }

    /// What each function has done so far in this cache, by `crate::module::function`.
    pub fn function_stats(&self) -> Vec<(&'static str, Stats)> {
        let functions = self.functions();
        let mut stats: Vec<_> = functions
            .iter()
            .map(|function| (function.name, function.counters.snapshot()))
            .collect();
        stats.sort_by_key(|(name, _)| *name);
        stats
    }

    /// How the shared store is; none where there is no shared store.
    #[cfg(feature = "stores")]
    pub fn store_status(&self) -> Option<crate::store::StoreStatus> {
        let tier = self.0.tier.as_ref()?;
        let functions = self.functions();
        let alone = functions.iter().filter(|function| function.memory_only);
        let mut alone: Vec<_> = alone.map(|function| function.name).collect();
        alone.sort_unstable();
        Some(tier.status(alone))
    }

    /// Asks the shared store what its server holds, for [`store_status`](Cache::store_status);
    /// nothing where it cannot say, is down, or was asked within the last seconds.
    ///
    /// A dashboard does so while it is looked at. No read ever waits for it.
    ///
    /// ```
    /// use dewar::{Cache, testing::FaultyStore};
    ///
    /// let cache = Cache::builder().shared(FaultyStore::new()).build()?;
    /// # futures::executor::block_on(async {
    /// cache.refresh_store_memory().await;
    /// let memory = cache.store_status().and_then(|status| status.memory);
    /// assert_eq!(memory.map(|memory| memory.keys), Some(0));
    /// # });
    /// # Ok::<(), dewar::Error>(())
    /// ```
    #[cfg(feature = "stores")]
    pub async fn refresh_store_memory(&self) {
        if let Some(tier) = &self.0.tier {
            tier.ask_memory().await;
        }
    }

    /// Sets all counters back to zero; entries and bytes stay what they are. Of what is under way,
    /// only the rest is seen afterwards, such as a load whose miss was counted before.
    pub fn reset_stats(&self) {
        self.0.counters.reset();
        self.functions()
            .iter()
            .for_each(|function| function.counters.reset());
    }

    /// Events that were told to no hook, as hooks were too slow.
    pub fn dropped_events(&self) -> u64 {
        self.0.watch.dropped()
    }

    /// Keeps the 200 most recent operations from now on, for [`operations`](Cache::operations).
    ///
    /// While it does so a hit costs what writing it down costs, half a microsecond or so.
    pub fn record_operations(&self) {
        self.0.record(crate::clock::Nanos::MAX);
    }

    /// The most recent operations, the last first; none before
    /// [`record_operations`](Cache::record_operations).
    pub fn operations(&self) -> Vec<Operation> {
        self.0.watch.recent()
    }

    /// Every function, operations by hand included, sorted by name.
    #[cfg(any(feature = "dashboard", feature = "metrics"))]
    pub(crate) fn all_stats(&self, since_start: bool) -> Vec<(&'static str, Stats)> {
        let of = |counters: &crate::stats::Counters| match since_start {
            true => counters.total(),
            false => counters.snapshot(),
        };
        let functions = self.functions();
        let functions = functions.iter().map(|it| (it.name, of(&it.counters)));
        let by_hand = (crate::watch::BY_HAND, of(&self.0.counters));
        let mut all: Vec<_> = functions.chain([by_hand]).collect();
        all.sort_by_key(|(name, _)| *name);
        all
    }

    /// What the cache has done since it was made, whatever was reset.
    #[cfg(any(feature = "dashboard", feature = "metrics"))]
    pub(crate) fn total_stats(&self) -> Stats {
        let mut sum = Stats::default();
        self.all_stats(true)
            .into_iter()
            .for_each(|(_, stats)| sum += stats);
        sum
    }

    /// The functions of a name that were called.
    #[cfg(feature = "dashboard")]
    pub(crate) fn function_ids(&self, name: &str) -> Vec<usize> {
        let functions = lock(&self.0.functions);
        let named = functions
            .iter()
            .filter(|(_, function)| function.name == name);
        named.map(|(id, _)| *id).collect()
    }

    fn functions(&self) -> Vec<Function> {
        lock(&self.0.functions).values().cloned().collect()
    }

    /// Whether both are handles on the same cache.
    pub fn same(&self, other: &Cache) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache")
            .field("name", &self.name())
            .field("entries", &self.len())
            .finish()
    }
}
