//! `#[concurrent_cached]`: shards, each with a lock around an LRU list with a timeout.

use std::sync::Arc;

use cached::macros::concurrent_cached;
use cached::{ConcurrentCached, ShardedLruTtlCache};

use super::{Store, TIMEOUT, body, call_each};

/// The head of its column.
pub const NAME: &str = "concurrent_cached";

/// `fn(u64) -> u64`.
#[concurrent_cached(max_size = 100_000, ttl_secs = 3600)]
pub fn number(n: u64) -> u64 {
    body::number(n)
}

/// `fn(&str, u32) -> Arc<str>`.
#[concurrent_cached(
    max_size = 100_000,
    ttl_secs = 3600,
    key = "(String, u32)",
    convert = { (name.to_owned(), id) }
)]
pub fn text(name: &str, id: u32) -> Arc<str> {
    body::text(name, id)
}

/// `fn(u64) -> Arc<Vec<u8>>`.
#[concurrent_cached(max_size = 100_000, ttl_secs = 3600)]
pub fn bytes(n: u64) -> Arc<Vec<u8>> {
    body::bytes(n)
}

/// `async fn(u64) -> u64`.
#[concurrent_cached(max_size = 100_000, ttl_secs = 3600)]
pub async fn number_async(n: u64) -> u64 {
    body::number(n)
}

/// An `async fn` whose future is large.
#[concurrent_cached(max_size = 100_000, ttl_secs = 3600)]
pub async fn large_async(n: u64) -> u64 {
    body::large(n).await
}

/// What the attribute expands to, with a capacity that is not written into the source.
struct Peer(ShardedLruTtlCache<u64, u64>);

/// A store of this capacity.
pub fn store(capacity: usize) -> Box<dyn Store> {
    let store = ShardedLruTtlCache::builder()
        .max_size(capacity)
        .ttl(TIMEOUT)
        .build();
    Box::new(Peer(store.expect("settings that make sense")))
}

impl Store for Peer {
    fn call(&self, keys: &[u64]) -> u64 {
        call_each(keys, |key| {
            if let Ok(Some(value)) = self.0.cache_get(&key) {
                return value;
            }
            let value = body::number(key);
            let _ = self.0.cache_set(key, value);
            value
        })
    }

    fn invalidate(&self, keys: &[u64]) {
        for key in keys {
            let _ = self.0.cache_remove(key);
        }
    }
}
