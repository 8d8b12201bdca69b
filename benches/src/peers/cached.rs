//! `#[cached]`: one lock around an LRU list with a timeout.

use std::sync::{Arc, RwLock};

use cached::macros::cached;
use cached::{Cached, LruTtlCache};

use super::{Store, TIMEOUT, body, call_each};

/// The head of its column.
pub const NAME: &str = "cached";

/// `fn(u64) -> u64`.
#[cached(max_size = 100_000, ttl_secs = 3600)]
pub fn number(n: u64) -> u64 {
    body::number(n)
}

/// `fn(&str, u32) -> Arc<str>`.
#[cached(
    max_size = 100_000,
    ttl_secs = 3600,
    key = "(String, u32)",
    convert = { (name.to_owned(), id) }
)]
pub fn text(name: &str, id: u32) -> Arc<str> {
    body::text(name, id)
}

/// `fn(u64) -> Arc<Vec<u8>>`.
#[cached(max_size = 100_000, ttl_secs = 3600)]
pub fn bytes(n: u64) -> Arc<Vec<u8>> {
    body::bytes(n)
}

/// `async fn(u64) -> u64`.
#[cached(max_size = 100_000, ttl_secs = 3600)]
pub async fn number_async(n: u64) -> u64 {
    body::number(n)
}

/// An `async fn` whose future is large.
#[cached(max_size = 100_000, ttl_secs = 3600)]
pub async fn large_async(n: u64) -> u64 {
    body::large(n).await
}

/// What the attribute expands to, with a capacity that is not written into the source.
struct Peer(RwLock<LruTtlCache<u64, u64>>);

/// A store of this capacity.
pub fn store(capacity: usize) -> Box<dyn Store> {
    Box::new(Peer(RwLock::new(LruTtlCache::new(capacity, TIMEOUT))))
}

impl Store for Peer {
    fn call(&self, keys: &[u64]) -> u64 {
        call_each(keys, |key| {
            if let Some(value) = self.0.write().unwrap().cache_get(&key) {
                return *value;
            }
            let value = body::number(key);
            self.0.write().unwrap().cache_set(key, value);
            value
        })
    }

    fn invalidate(&self, keys: &[u64]) {
        for key in keys {
            let _ = self.0.write().unwrap().cache_remove(key);
        }
    }
}
