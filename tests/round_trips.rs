//! How often a call goes to the server and back, whatever the number of keys and tags: counted on
//! the wire of real servers.
#![cfg(any(feature = "redis", feature = "memcached", feature = "database"))]

mod servers;

use std::collections::HashMap;
use std::time::Duration;

use dewar::store::Store;
use dewar::{Cache, cached, invalidate};
use servers::turns::Turns;

#[cached(timeout = 600, key_prefix = "many:{ids}", batch = ids, tags("a", "b", "c", "d", "e"))]
fn many(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[cached(
    timeout = 600,
    key_prefix = "shop:eu:{id}",
    tags("a", "b", "c", "d", "e", "f", "g")
)]
fn one(id: u64) -> u64 {
    id
}

/// A process that serves nothing from memory, listens to nobody, and has a server behind these
/// turns. An operation is at most so many round trips; a read is one, an invalidation at most two.
fn counts(store: impl Store, turns: &Turns, operation: usize) {
    let builder = Cache::builder().shared(store).memory_copies(Duration::ZERO);
    let cache = builder
        .store_timeout(Duration::from_secs(10))
        .build()
        .expect("these settings are accepted");
    let ids: Vec<u64> = (0..100).collect();
    cache.scope_blocking(|| (one(1), many(&ids)));
    let loads = cache.stats().loads;

    let read = || assert_eq!(cache.scope_blocking(|| one(1)), 1);
    let trips = turns.fewest(read);
    assert!(trips <= operation, "a read: {trips}");
    let read = || assert_eq!(cache.scope_blocking(|| many(&ids)).len(), 100);
    let trips = turns.fewest(read);
    assert!(trips <= operation, "a batch: {trips}");
    assert_eq!(cache.stats().loads, loads, "all of it was there");

    let wide = || {
        let order = || invalidate!(tag = "a", tag = "b", tag = "c", prefix = "shop:eu", one(1));
        cache.scope_blocking(|| order().wait()).unwrap();
    };
    let trips = turns.fewest(wide);
    assert!(trips <= 2 * operation, "an invalidation: {trips}");
    let trips = turns.fewest(|| {
        cache.scope_blocking(|| one(1));
    });
    assert!(trips <= operation, "nothing is left to be done: {trips}");
    assert_eq!(cache.stats().store_errors, 0);
}

#[cfg(feature = "redis")]
#[test]
fn redis() {
    let server = servers::redis::Redis::start();
    let turns = Turns::before(server.port());
    let url = format!("redis://127.0.0.1:{}", turns.port);
    counts(dewar::store::Redis::open(&url).unwrap(), &turns, 1);
}

#[cfg(feature = "memcached")]
#[test]
fn memcached() {
    let server = servers::memcached::Memcached::start();
    let turns = Turns::before(server.0.port);
    let servers = format!("127.0.0.1:{}", turns.port);
    counts(dewar::store::Memcached::open(&servers).unwrap(), &turns, 1);
}

#[cfg(feature = "database")]
#[test]
fn postgres() {
    let server = servers::postgres::Postgres::start();
    let turns = Turns::before(server.0.port);
    let url = format!("postgres://shop:secret@127.0.0.1:{}/postgres", turns.port);
    // Behind each the pool may ask whether the connection is well; nobody waits for that.
    counts(dewar::store::Database::open(&url).unwrap(), &turns, 2);
}
