//! A store that does not answer: what it may cost, and how often it is asked.
#![cfg(feature = "stores")]

use std::time::Duration;

use dewar::store::Health;
use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, EventKind, Operation, cached, invalidate};

fn cache(store: &FaultyStore) -> TestCache {
    let builder = Cache::builder()
        .shared(store.clone())
        .store_timeout(Duration::from_millis(100))
        .store_budget(Duration::from_millis(150));
    TestCache::with(builder).expect("these settings are accepted")
}

#[cached(timeout = 60, key_prefix = "n:{n}")]
fn number(n: u64) -> u64 {
    n
}

fn health(cache: &TestCache) -> Health {
    cache.store_status().unwrap().health
}

#[test]
fn a_dead_store_is_left_alone_and_asked_again_by_exactly_one() {
    let store = FaultyStore::new();
    let cache = cache(&store);
    store.fail(true);
    cache.run(|| (0..100).for_each(|n| assert_eq!(number(n), n)));
    assert_eq!(
        store.operations(),
        5,
        "after five failures it is left alone"
    );
    assert_eq!(health(&cache), Health::Down);
    assert_eq!(cache.stats().loads, 100, "and every call was answered");

    cache.advance(Duration::from_secs(1));
    cache.run(|| (100..200).for_each(|n| assert_eq!(number(n), n)));
    assert_eq!(store.operations(), 6, "one probe");
    cache.advance(Duration::from_secs(1));
    cache.run(|| number(200));
    assert_eq!(store.operations(), 6, "the pause has doubled");

    store.fail(false);
    cache.advance(Duration::from_secs(1));
    cache.run(|| number(201));
    assert_eq!(health(&cache), Health::Up);
    assert!(store.keys().iter().any(|key| key.contains("n:201")));
}

#[test]
fn while_a_probe_is_under_way_nobody_else_asks() {
    let store = FaultyStore::new();
    let cache = cache(&store);
    store.fail(true);
    cache.run(|| (0..10).for_each(|n| assert_eq!(number(n), n)));
    let before = store.operations();
    store.fail(false);
    store.stall(true);
    cache.advance(Duration::from_secs(1));
    let probe = std::thread::spawn({
        let cache = cache.clone();
        move || cache.run(|| number(10))
    });
    while store.operations() == before {
        std::thread::yield_now();
    }
    cache.run(|| (11..20).for_each(|n| assert_eq!(number(n), n)));
    assert_eq!(store.operations(), before + 1);
    while !probe.is_finished() {
        cache.advance(Duration::from_millis(50));
        std::thread::yield_now();
    }
    assert_eq!(probe.join().unwrap(), 10);
}

#[test]
fn one_call_spends_no_more_than_its_budget_however_long_an_operation_may_take() {
    let store = FaultyStore::new();
    let builder = Cache::builder()
        .shared(store.clone())
        .store_timeout(Duration::from_millis(400))
        .store_budget(Duration::from_millis(100));
    let cache = TestCache::with(builder).unwrap();
    store.stall(true);
    let call = std::thread::spawn({
        let cache = cache.clone();
        move || cache.run(|| number(1))
    });
    while !call.is_finished() {
        cache.advance(Duration::from_millis(1));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(call.join().unwrap(), 1);
    let took = cache.clock().elapsed();
    assert!(took <= Duration::from_millis(200), "{took:?}");
}

#[test]
fn what_is_not_asked_of_a_store_that_is_down_is_no_failure() {
    let store = FaultyStore::new();
    let cache = cache(&store);
    cache.record_operations();
    store.fail(true);
    cache.run(|| (0..20).for_each(|n| assert_eq!(number(n), n)));
    assert_eq!(health(&cache), Health::Down);
    assert_eq!((store.operations(), cache.stats().store_errors), (5, 5));
    let all = cache.operations();
    let told = |it: &&Operation| matches!(it.event.kind, EventKind::StoreFailed(_));
    assert_eq!(all.iter().filter(told).count(), 5);
    cache.advance(Duration::from_secs(1));
    cache.run(|| number(20));
    assert_eq!(cache.stats().store_errors, 6, "one that asks again");
}

#[test]
fn a_store_that_says_no_is_up() {
    let store = FaultyStore::new();
    let cache = cache(&store);
    store.refuse(true);
    cache.run(|| (0..20).for_each(|n| assert_eq!(number(n), n)));
    assert_eq!(health(&cache), Health::Up);
    assert!(cache.stats().store_errors >= 20);
}

#[test]
fn an_invalidation_while_the_store_is_down_says_so_at_once() {
    let store = FaultyStore::new();
    let cache = cache(&store);
    store.fail(true);
    cache.run(|| (0..10).for_each(|n| assert_eq!(number(n), n)));
    let error = cache.run(|| invalidate!(number(1)).wait()).unwrap_err();
    assert!(error.is_store(), "{error}");
    assert_eq!(cache.store_status().unwrap().undelivered, 1);
    store.fail(false);
    while cache.store_status().unwrap().undelivered > 0 {
        cache.advance(Duration::from_millis(500));
        std::thread::yield_now();
    }
}
