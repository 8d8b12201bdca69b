//! What a process makes of an operation that failed: the store may have gone back to an older state, and
//! mostly it has not. Several caches on one store stand for several processes.
#![cfg(feature = "stores")]

mod common;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use common::{forward, secs, turn, until};
use dewar::store::{Rollback, Store};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, cached, invalidate};
use futures::executor::block_on;

/// More than are remembered.
const MANY: u64 = 1200;

static SOURCE: AtomicU64 = AtomicU64::new(0);

#[cached(timeout = 600)]
fn unrelated(id: u64) -> u64 {
    id * 1000 + SOURCE.load(SeqCst)
}

fn process(store: impl Store) -> TestCache {
    // Nothing in memory: every read asks the store.
    let builder = Cache::builder().shared(store);
    TestCache::with(builder.memory_copies(Duration::ZERO)).unwrap()
}

fn set_all(cache: &TestCache) {
    for n in 0..MANY {
        let key = format!("k{n}");
        block_on(cache.set(&key, n, secs(600))).unwrap();
    }
}

/// One read fails; the next compares.
fn blip(store: &FaultyStore, cache: &TestCache) {
    let read = || block_on(cache.get::<u64>("k0"));
    store.fail(true);
    read();
    store.fail(false);
    read();
    let undelivered = || cache.store_status().unwrap().undelivered;
    assert!(until(|| {
        // Who delivers pauses after a failure.
        cache.advance(Duration::from_millis(100));
        undelivered() == 0
    }));
}

/// Whether it is loaded once more.
fn is_gone(third: &TestCache) -> bool {
    let before = third.stats().loads;
    third.run(|| unrelated(1));
    third.stats().loads > before
}

#[test]
fn that_another_process_has_set_the_same_keys_is_no_sign_of_it() {
    let _turn = turn(&SOURCE);
    let store = FaultyStore::new();
    let [one, other, third] = [(); 3].map(|()| process(store.clone()));
    is_gone(&third);
    set_all(&one);
    set_all(&other);
    blip(&store, &one);
    assert!(!is_gone(&third));
}

#[test]
fn nor_that_versions_were_evicted_and_are_made_anew() {
    let _turn = turn(&SOURCE);
    let store = FaultyStore::new();
    let [one, third] = [(); 2].map(|()| process(store.clone()));
    set_all(&one);
    store.forget_keys(":v.");
    is_gone(&third);
    for n in 0..MANY {
        let load = || async move { Ok::<u64, ()>(n) };
        block_on(third.get_or_load(&format!("k{n}"), secs(600), load)).unwrap();
    }
    blip(&store, &one);
    assert!(!is_gone(&third));
}

#[test]
fn what_is_lost_beyond_memory_is_invalidated_with_everything() {
    let _turn = turn(&SOURCE);
    for others in [false, true] {
        let store = FaultyStore::new();
        let [one, other, third] = [(); 3].map(|()| process(store.clone()));
        SOURCE.store(1, SeqCst);
        third.run(|| unrelated(1));
        let snapshot = store.snapshot();
        SOURCE.store(2, SeqCst);
        one.run(|| invalidate!(unrelated(1)).wait()).unwrap();
        set_all(&one);
        store.restore(&snapshot);
        if others {
            set_all(&other);
        }
        blip(&store, &one);
        assert_eq!(third.run(|| unrelated(1)), 1002);
    }
}

#[test]
fn what_is_lost_of_what_is_remembered_is_invalidated_by_itself() {
    let _turn = turn(&SOURCE);
    let store = FaultyStore::new();
    let [one, third] = [(); 2].map(|()| process(store.clone()));
    third.run(|| unrelated(2));
    set_all(&one);
    is_gone(&third);
    let snapshot = store.snapshot();
    SOURCE.store(2, SeqCst);
    one.run(|| invalidate!(unrelated(2)).wait()).unwrap();
    store.restore(&snapshot);
    blip(&store, &one);
    assert_eq!(third.run(|| unrelated(2)), 2002);
    assert!(!is_gone(&third));
}

/// It cannot go back.
#[derive(Clone)]
struct Forward(FaultyStore);

impl Store for Forward {
    forward!(0: get_many, set_many, delete_many, add_many, swap);

    fn rollback(&self) -> Rollback {
        Rollback::Never
    }
}

#[test]
fn a_store_that_cannot_go_back_is_not_asked() {
    let store = FaultyStore::new();
    let one = process(Forward(store.clone()));
    block_on(one.set("k0", 0, secs(600))).unwrap();
    store.fail(true);
    block_on(one.get::<u64>("k0"));
    store.fail(false);
    let before = store.operations();
    block_on(one.get::<u64>("k0"));
    assert_eq!(store.operations(), before + 1, "the read and nothing else");
}
