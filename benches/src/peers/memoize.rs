//! `#[memoize]` with one cache for all threads: a lock around an LRU list with a timeout.

use std::sync::Arc;
use std::time::Duration;

use memoize::memoize;

use super::{Store, body, call_each};

/// The head of its column.
pub const NAME: &str = "memoize";

/// `fn(u64) -> u64`.
#[memoize(SharedCache, Capacity: 100_000, TimeToLive: Duration::from_secs(3_600))]
pub fn number(n: u64) -> u64 {
    body::number(n)
}

#[memoize(SharedCache, Capacity: 100_000, TimeToLive: Duration::from_secs(3_600))]
fn owned_text(name: String, id: u32) -> Arc<str> {
    body::text(&name, id)
}

/// `fn(&str, u32) -> Arc<str>`.
pub fn text(name: &str, id: u32) -> Arc<str> {
    owned_text(name.to_owned(), id)
}

/// `fn(u64) -> Arc<Vec<u8>>`.
#[memoize(SharedCache, Capacity: 100_000, TimeToLive: Duration::from_secs(3_600))]
pub fn bytes(n: u64) -> Arc<Vec<u8>> {
    body::bytes(n)
}

#[memoize(SharedCache, Capacity: 10_000, TimeToLive: Duration::from_secs(3_600))]
fn small(n: u64) -> u64 {
    body::number(n)
}

#[memoize(SharedCache, Capacity: 1_000_000, TimeToLive: Duration::from_secs(3_600))]
fn big(n: u64) -> u64 {
    body::number(n)
}

struct Peer(fn(u64) -> u64);

/// One with 10,000 or 1,000,000 entries, emptied; others would have to be written down.
///
/// # Panics
/// Another capacity.
pub fn store(capacity: usize) -> Box<dyn Store> {
    match capacity {
        10_000 => memoized_flush_small(),
        1_000_000 => memoized_flush_big(),
        _ => panic!("no function of this capacity"),
    }
    Box::new(Peer(if capacity == 10_000 { small } else { big }))
}

impl Store for Peer {
    fn call(&self, keys: &[u64]) -> u64 {
        call_each(keys, self.0)
    }

    /// It cannot.
    fn invalidate(&self, _: &[u64]) {}
}
