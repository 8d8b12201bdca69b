//! `#[cache]`: a lock around a map by texts, and a queue that is searched on each hit.

use std::sync::Arc;

use cachelito::cache;

use super::body;

/// The head of its column.
pub const NAME: &str = "cachelito";

/// `fn(u64) -> u64`.
#[cache(limit = 100_000, ttl = 3600)]
pub fn number(n: u64) -> u64 {
    body::number(n)
}

/// `fn(&str, u32) -> Arc<str>`.
#[cache(limit = 100_000, ttl = 3600)]
pub fn text(name: &str, id: u32) -> Arc<str> {
    body::text(name, id)
}

/// `fn(u64) -> Arc<Vec<u8>>`.
#[cache(limit = 100_000, ttl = 3600)]
pub fn bytes(n: u64) -> Arc<Vec<u8>> {
    body::bytes(n)
}
