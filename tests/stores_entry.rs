//! `entry!` where there is a shared store: two caches on one store stand for two processes.
#![cfg(feature = "stores")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, cached, entry};
use futures::executor::block_on;

const MINUTE: Duration = Duration::from_secs(60);

fn process(store: &FaultyStore, copies: u64) -> TestCache {
    let builder = Cache::builder()
        .shared(store.clone())
        .memory_copies(Duration::from_secs(copies));
    TestCache::with(builder).expect("these settings are accepted")
}

static RUNS: AtomicUsize = AtomicUsize::new(0);

#[cached(timeout = 60)]
fn square(n: u64) -> u64 {
    RUNS.fetch_add(1, SeqCst);
    n * n
}

#[cached(timeout = 60)]
async fn cube(n: u64) -> u64 {
    RUNS.fetch_add(1, SeqCst);
    n * n * n
}

#[cached(timeout = 60, batch = ids)]
fn halves(ids: &[u64]) -> HashMap<u64, u64> {
    RUNS.fetch_add(1, SeqCst);
    ids.iter().map(|id| (*id, id / 2)).collect()
}

#[test]
fn what_another_process_has_cached_is_cached() {
    let store = FaultyStore::new();
    let [one, other, third] = [(); 3].map(|()| process(&store, 5));
    one.scope_blocking(|| square(4));
    block_on(one.scope(cube(4)));
    let runs = RUNS.load(SeqCst);
    other.scope_blocking(|| {
        assert!(entry!(square(4)).contains());
        assert_eq!(entry!(square(4)).ttl(), Some(MINUTE));
        assert_eq!(entry!(square(4)).get(), Some(16));
        assert_eq!(entry!(square(5)).get(), None);
        assert!(!entry!(square(5)).contains());
    });
    block_on(other.scope(async {
        assert!(entry!(cube(4)).contains().await);
        assert_eq!(entry!(cube(4)).ttl().await, Some(MINUTE));
        assert_eq!(entry!(cube(4)).get().await, Some(64));
    }));
    assert_eq!((RUNS.load(SeqCst), other.stats().lookups()), (runs, 0));
    // What was got is a copy from then on, what was only asked about is not.
    let before = store.operations();
    other.scope_blocking(|| assert_eq!(entry!(square(4)).get(), Some(16)));
    assert_eq!(store.operations(), before);
    third.scope_blocking(|| {
        assert!(entry!(square(4)).contains());
        assert!(third.is_empty());
        entry!(square(4)).invalidate().wait().unwrap();
        assert_eq!(entry!(square(4)).get(), None, "nor on the store");
    });
}

#[test]
fn what_was_put_is_cached_also_where_memory_keeps_no_copies() {
    let cache = process(&FaultyStore::new(), 0);
    cache.scope_blocking(|| {
        entry!(square(9)).put(1).unwrap();
        assert_eq!(entry!(square(9)).get(), Some(1));
        assert!(entry!(square(9)).contains());
        assert_eq!(entry!(square(9)).ttl(), Some(MINUTE));
    });
    assert!(cache.is_empty());
}

#[test]
fn a_batch_asks_the_store_once_for_all_that_memory_has_not() {
    let store = FaultyStore::new();
    let [one, other] = [(); 2].map(|()| process(&store, 5));
    one.scope_blocking(|| halves(&[2, 4, 6]));
    other.scope_blocking(|| {
        assert_eq!(entry!(halves(&[2])).get(), HashMap::from([(2, 1)]));
        let before = store.operations();
        assert!(entry!(halves(&[2, 4, 6])).contains());
        assert!(!entry!(halves(&[2, 3])).contains());
        assert_eq!(entry!(halves(&[2, 3, 4])).ttl().len(), 2);
        let values = entry!(halves(&[2, 3, 4])).get();
        assert_eq!(values, HashMap::from([(2, 1), (4, 2)]));
        assert_eq!(store.operations() - before, 4);
    });
}

#[test]
fn a_store_that_fails_has_nothing() {
    let store = FaultyStore::new();
    let cache = process(&store, 5);
    cache.scope_blocking(|| square(7));
    store.fail(true);
    cache.scope_blocking(|| {
        assert_eq!(entry!(square(7)).get(), Some(49), "memory has it");
        assert_eq!(entry!(square(8)).get(), None);
        assert_eq!(entry!(square(8)).ttl(), None);
    });
}
