//! Ours, by the default cache where nothing else is said.

use std::sync::Arc;

use dewar::{Cache, cached, invalidate};

use super::{CAPACITY, Store, TIMEOUT, body, call_each};

/// The head of its column.
pub const NAME: &str = crate::report::OURS;

/// Gives the default cache the bound that all have; once, before anything is called.
pub fn install() {
    // A second group in the same process finds it installed.
    let _ = Cache::builder().max_entries(CAPACITY as u64).install();
}

/// The same with a clock that stands still, so that its instructions are the same each time.
///
/// # Panics
/// A default cache is there already.
pub fn install_still() {
    let cache = Cache::builder().max_entries(CAPACITY as u64);
    let clock = dewar::testing::ManualClock::new();
    cache.clock(clock).install().expect("the first one");
}

/// `fn(u64) -> u64`.
#[cached(timeout = "1h")]
pub fn number(n: u64) -> u64 {
    body::number(n)
}

/// `fn(&str, u32) -> Arc<str>`.
#[cached(timeout = "1h")]
pub fn text(name: &str, id: u32) -> Arc<str> {
    body::text(name, id)
}

/// `fn(u64) -> Arc<Vec<u8>>`.
#[cached(timeout = "1h")]
pub fn bytes(n: u64) -> Arc<Vec<u8>> {
    body::bytes(n)
}

/// `async fn(u64) -> u64`.
#[cached(timeout = "1h")]
pub async fn number_async(n: u64) -> u64 {
    body::number(n)
}

/// An `async fn` whose future is large.
#[cached(timeout = "1h")]
pub async fn large_async(n: u64) -> u64 {
    body::large(n).await
}

/// With scopes of its own besides those that every entry has.
#[cached(timeout = "1h", key_prefix = "number:{n}", tags("numbers"))]
pub fn scoped(n: u64) -> u64 {
    body::number(n)
}

struct Ours(Cache, fn(u64) -> u64);

/// Functions on a cache of this capacity.
pub fn store(capacity: usize) -> Box<dyn Store> {
    Box::new(Ours(cache(capacity), number))
}

/// The same with a prefix and a tag.
pub fn scoped_store(capacity: usize) -> Box<dyn Store> {
    Box::new(Ours(cache(capacity), scoped))
}

/// A cache of this capacity.
///
/// # Panics
/// The capacity is zero.
pub fn cache(capacity: usize) -> Cache {
    Cache::builder()
        .max_entries(capacity as u64)
        .default_timeout(TIMEOUT)
        .build()
        .expect("settings that make sense")
}

impl Store for Ours {
    fn call(&self, keys: &[u64]) -> u64 {
        self.0.scope_blocking(|| call_each(keys, self.1))
    }

    fn invalidate(&self, keys: &[u64]) {
        self.0.scope_blocking(|| {
            for key in keys {
                let done = invalidate!(number(*key)).wait();
                done.expect("a cache in memory");
            }
        });
    }
}
