//! moka, with a function around it: `get`, and `get_with` where that finds nothing.

use std::hash::Hash;
use std::sync::{Arc, LazyLock};

use foldhash::fast::RandomState;
use moka::{future, sync};

use super::timed::TextKey;
use super::{CAPACITY, Store, TIMEOUT, body, call_each};

/// The head of its column.
pub const NAME: &str = "moka";

fn build<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>(
    capacity: usize,
) -> sync::Cache<K, V> {
    sync::Cache::builder()
        .max_capacity(capacity as u64)
        .time_to_live(TIMEOUT)
        .build()
}

/// `fn(u64) -> u64`.
pub fn number(n: u64) -> u64 {
    static CACHE: LazyLock<sync::Cache<u64, u64>> = LazyLock::new(|| build(CAPACITY));
    match CACHE.get(&n) {
        Some(value) => value,
        None => CACHE.get_with(n, || body::number(n)),
    }
}

/// The head of the column of one with another hasher.
pub const HASHED: &str = "moka, foldhash";

/// `fn(u64) -> u64`, with a fast hasher.
pub fn number_hashed(n: u64) -> u64 {
    static CACHE: LazyLock<sync::Cache<u64, u64, RandomState>> = LazyLock::new(|| {
        sync::Cache::builder()
            .max_capacity(CAPACITY as u64)
            .time_to_live(TIMEOUT)
            .build_with_hasher(RandomState::default())
    });
    match CACHE.get(&n) {
        Some(value) => value,
        None => CACHE.get_with(n, || body::number(n)),
    }
}

/// `fn(&str, u32) -> Arc<str>`.
pub fn text(name: &str, id: u32) -> Arc<str> {
    static CACHE: LazyLock<sync::Cache<TextKey, Arc<str>>> = LazyLock::new(|| build(CAPACITY));
    // It looks for what the key lends, and a pair of `&str` and number is not lent by the owned one.
    let key = (name.to_owned(), id);
    match CACHE.get(&key) {
        Some(value) => value,
        None => CACHE.get_with(key, || body::text(name, id)),
    }
}

/// `fn(u64) -> Arc<Vec<u8>>`.
pub fn bytes(n: u64) -> Arc<Vec<u8>> {
    static CACHE: LazyLock<sync::Cache<u64, Arc<Vec<u8>>>> = LazyLock::new(|| build(CAPACITY));
    match CACHE.get(&n) {
        Some(value) => value,
        None => CACHE.get_with(n, || body::bytes(n)),
    }
}

fn build_async(capacity: usize) -> future::Cache<u64, u64> {
    future::Cache::builder()
        .max_capacity(capacity as u64)
        .time_to_live(TIMEOUT)
        .build()
}

/// `async fn(u64) -> u64`.
pub async fn number_async(n: u64) -> u64 {
    static CACHE: LazyLock<future::Cache<u64, u64>> = LazyLock::new(|| build_async(CAPACITY));
    match CACHE.get(&n).await {
        Some(value) => value,
        None => CACHE.get_with(n, async { body::number(n) }).await,
    }
}

/// An `async fn` whose future is large.
pub async fn large_async(n: u64) -> u64 {
    static CACHE: LazyLock<future::Cache<u64, u64>> = LazyLock::new(|| build_async(CAPACITY));
    match CACHE.get(&n).await {
        Some(value) => value,
        None => CACHE.get_with(n, body::large(n)).await,
    }
}

/// The head of the column of one that tells of evictions.
pub const TELLING: &str = "moka, listener";

/// A store of this capacity that tells of evictions, as whoever keeps something beside it needs.
pub fn telling_store(capacity: usize) -> Box<dyn Store> {
    let cache = sync::Cache::builder()
        .max_capacity(capacity as u64)
        .time_to_live(TIMEOUT)
        .eviction_listener(|_, _, _| ())
        .build();
    Box::new(Peer(cache))
}

struct Peer(sync::Cache<u64, u64>);

/// A store of this capacity.
pub fn store(capacity: usize) -> Box<dyn Store> {
    Box::new(Peer(build(capacity)))
}

impl Store for Peer {
    fn call(&self, keys: &[u64]) -> u64 {
        call_each(keys, |key| self.0.get_with(key, || body::number(key)))
    }

    fn invalidate(&self, keys: &[u64]) {
        for key in keys {
            self.0.invalidate(key);
        }
    }

    fn settle(&self) {
        self.0.run_pending_tasks();
    }
}
