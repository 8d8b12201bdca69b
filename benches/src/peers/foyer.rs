//! foyer's cache in memory, with a deadline in its values and a function around it.

use std::hash::Hash;
use std::sync::{Arc, LazyLock};

use foyer::{Cache, CacheBuilder};

use super::timed::{Borrowed, TextKey, Timed};
use super::{CAPACITY, Store, body, call_each};

/// The head of its column.
pub const NAME: &str = "foyer";

type Lazy<K, V> = LazyLock<Cache<K, Timed<V>>>;

fn build<K, V>(capacity: usize) -> Cache<K, Timed<V>>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    CacheBuilder::new(capacity).build()
}

fn kept<V>(cache: &Cache<u64, Timed<V>>, key: u64, load: impl FnOnce() -> V) -> V
where
    V: Clone + Send + Sync + 'static,
{
    let found = cache.get(&key);
    if let Some(value) = found.as_ref().and_then(|entry| entry.value().fresh()) {
        return value.clone();
    }
    let value = load();
    cache.insert(key, Timed::new(value.clone()));
    value
}

/// `fn(u64) -> u64`.
pub fn number(n: u64) -> u64 {
    static CACHE: Lazy<u64, u64> = LazyLock::new(|| build(CAPACITY));
    kept(&CACHE, n, || body::number(n))
}

/// `fn(&str, u32) -> Arc<str>`.
pub fn text(name: &str, id: u32) -> Arc<str> {
    static CACHE: Lazy<TextKey, Arc<str>> = LazyLock::new(|| build(CAPACITY));
    let found = CACHE.get(&Borrowed(name, id));
    if let Some(value) = found.as_ref().and_then(|entry| entry.value().fresh()) {
        return value.clone();
    }
    let value = body::text(name, id);
    CACHE.insert((name.to_owned(), id), Timed::new(value.clone()));
    value
}

/// `fn(u64) -> Arc<Vec<u8>>`.
pub fn bytes(n: u64) -> Arc<Vec<u8>> {
    static CACHE: Lazy<u64, Arc<Vec<u8>>> = LazyLock::new(|| build(CAPACITY));
    kept(&CACHE, n, || body::bytes(n))
}

/// `async fn(u64) -> u64`.
pub async fn number_async(n: u64) -> u64 {
    static CACHE: Lazy<u64, u64> = LazyLock::new(|| build(CAPACITY));
    kept(&CACHE, n, || body::number(n))
}

/// An `async fn` whose future is large.
pub async fn large_async(n: u64) -> u64 {
    static CACHE: Lazy<u64, u64> = LazyLock::new(|| build(CAPACITY));
    let found = CACHE.get(&n);
    if let Some(value) = found.as_ref().and_then(|entry| entry.value().fresh()) {
        return *value;
    }
    drop(found);
    let value = body::large(n).await;
    CACHE.insert(n, Timed::new(value));
    value
}

struct Peer(Cache<u64, Timed<u64>>);

/// A store of this capacity.
pub fn store(capacity: usize) -> Box<dyn Store> {
    Box::new(Peer(build(capacity)))
}

impl Store for Peer {
    fn call(&self, keys: &[u64]) -> u64 {
        call_each(keys, |key| kept(&self.0, key, || body::number(key)))
    }

    fn invalidate(&self, keys: &[u64]) {
        for key in keys {
            self.0.remove(key);
        }
    }
}
