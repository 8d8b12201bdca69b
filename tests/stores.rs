//! The seam to shared stores, on a store that fails, stalls and forgets on command. Two caches on
//! one store stand for two processes.
#![cfg(feature = "stores")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, cached, entry, invalidate};

/// What the functions read: the data behind the cache.
static SOURCE: AtomicU64 = AtomicU64::new(0);

/// Tests share the source, so they take turns.
fn world() -> (
    std::sync::MutexGuard<'static, ()>,
    FaultyStore,
    TestCache,
    TestCache,
) {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    SOURCE.store(1, SeqCst);
    let store = FaultyStore::new();
    let process = || {
        let builder = Cache::builder()
            .shared(store.clone())
            .memory_copies(Duration::from_secs(5));
        TestCache::with(builder).expect("these settings are accepted")
    };
    let (one, other) = (process(), process());
    (turn, store, one, other)
}

#[cached(timeout = 60, key_prefix = "value:{id}", tags("all-values"))]
fn value(id: u64) -> Result<u64, String> {
    Ok(id * 1000 + SOURCE.load(SeqCst))
}

#[test]
fn what_one_process_loaded_another_reads() {
    let (_turn, _, one, other) = world();
    assert_eq!(one.run(|| value(1)), Ok(1001));
    assert_eq!(other.run(|| value(1)), Ok(1001));
    assert_eq!((one.stats().loads, other.stats().loads), (1, 0));
    assert_eq!(other.run(|| value(1)), Ok(1001));
    assert_eq!(other.stats().hits, 1, "served from memory");
}

#[test]
fn an_invalidation_anywhere_is_seen_everywhere_within_the_stated_time() {
    let (_turn, _, one, other) = world();
    one.run(|| value(1)).unwrap();
    other.run(|| value(1)).unwrap();
    SOURCE.store(2, SeqCst);
    one.run(|| invalidate!(prefix = "value:1").wait()).unwrap();
    assert_eq!(one.run(|| value(1)), Ok(1002), "at once where it was made");
    other.advance(Duration::from_secs(5));
    assert_eq!(
        other.run(|| value(1)),
        Ok(1002),
        "elsewhere when its copy is no longer vouched for"
    );
}

#[test]
fn every_form_of_invalidation_reaches_the_store() {
    type Order = fn() -> dewar::Invalidated;
    let orders: [(&str, Order); 7] = [
        ("key", || invalidate!(value(1))),
        ("function", || invalidate!(value)),
        ("prefix", || invalidate!(prefix = "value")),
        ("tag", || invalidate!(tag = "all-values")),
        ("pattern", || invalidate!(pattern = "val*")),
        ("everything", || invalidate!(all)),
        ("soft", || invalidate!(soft, tag = "all-values")),
    ];
    for (name, order) in orders {
        let (_turn, _, one, other) = world();
        one.run(|| value(1)).unwrap();
        SOURCE.store(2, SeqCst);
        one.run(|| order().wait()).unwrap();
        assert_eq!(other.run(|| value(1)), Ok(1002), "{name}");
    }
}

#[cached(timeout = 60, key_prefix = "slow", skip(other))]
fn overtaken(id: u64, other: &TestCache) -> u64 {
    let old = SOURCE.load(SeqCst);
    SOURCE.store(2, SeqCst);
    other.run(|| invalidate!(prefix = "slow").wait()).unwrap();
    old * 10 + id
}

#[test]
fn a_load_that_began_before_an_invalidation_in_another_process_is_never_served_after_it() {
    let (_turn, _, one, other) = world();
    assert_eq!(
        one.run(|| overtaken(1, &other)),
        11,
        "its own caller began before"
    );
    let again = other.run(|| overtaken(1, &one));
    assert_eq!(
        again, 21,
        "the store had only what was loaded under the old version"
    );
}

#[test]
fn reads_and_writes_fail_open() {
    let (_turn, store, one, _) = world();
    store.fail(true);
    assert_eq!(one.run(|| value(1)), Ok(1001));
    assert_eq!(one.run(|| value(1)), Ok(1001));
    let stats = one.stats();
    assert_eq!(
        (stats.loads, stats.hits),
        (1, 1),
        "memory serves without the store"
    );
    assert!(stats.store_errors > 0);
}

#[test]
fn a_stalled_store_costs_its_time_limit_and_no_more() {
    let (_turn, store, one, _) = world();
    store.stall(true);
    let clock = one.clock().clone();
    let reader = std::thread::spawn({
        let one = one.clone();
        move || one.run(|| value(1))
    });
    while !reader.is_finished() {
        clock.advance(Duration::from_millis(100));
        std::thread::yield_now();
    }
    assert_eq!(reader.join().unwrap(), Ok(1001));
    assert!(one.stats().store_errors > 0);
}

#[test]
fn an_invalidation_fails_closed_and_is_replayed() {
    let (_turn, store, one, other) = world();
    one.run(|| value(1)).unwrap();
    SOURCE.store(2, SeqCst);
    store.fail(true);
    let error = one.run(|| invalidate!(value(1)).wait()).unwrap_err();
    assert!(error.is_store(), "{error}");
    store.fail(false);
    assert_eq!(
        one.run(|| value(1)),
        Ok(1002),
        "what is undelivered is not read from the store"
    );
    let before = store.operations();
    while store.operations() == before {
        one.advance(Duration::from_secs(1));
        std::thread::yield_now();
    }
    assert_eq!(
        other.run(|| value(1)),
        Ok(1002),
        "delivered in the background"
    );
}

#[test]
fn an_invalidation_that_nobody_awaits_is_delivered_too() {
    let (_turn, store, one, other) = world();
    one.run(|| value(1)).unwrap();
    SOURCE.store(2, SeqCst);
    let before = store.operations();
    one.run(|| drop(invalidate!(value(1))));
    while store.operations() == before {
        std::thread::yield_now();
    }
    assert_eq!(other.run(|| value(1)), Ok(1002));
}

#[test]
fn a_store_that_forgets_costs_loads_and_is_never_wrong() {
    let (_turn, store, one, other) = world();
    one.run(|| value(1)).unwrap();
    store.forget_keys(":v.");
    assert_eq!(other.run(|| value(1)), Ok(1001));
    assert_eq!(
        other.stats().loads,
        1,
        "without its versions the entry counts for nothing"
    );
    store.forget();
    one.advance(Duration::from_secs(5));
    assert_eq!(one.run(|| value(1)), Ok(1001));
    assert_eq!(one.stats().loads, 2);
}

#[test]
fn damaged_bytes_are_a_miss_and_counted() {
    let (_turn, store, one, other) = world();
    one.run(|| value(1)).unwrap();
    store.damage("value:1", |bytes| bytes.truncate(bytes.len() / 2));
    assert_eq!(other.run(|| value(1)), Ok(1001));
    assert_eq!((other.stats().loads, other.stats().undecodable), (1, 1));
}

#[cached(timeout = 60, key_prefix = "many:{ids}", batch = ids)]
fn many(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter()
        .map(|id| (*id, *id + SOURCE.load(SeqCst)))
        .collect()
}

#[test]
fn what_is_put_into_a_batch_is_written_in_one_operation_and_reaches_the_others() {
    let (_turn, store, one, other) = world();
    let ids: Vec<u64> = (0..100).collect();
    other.run(|| many(&ids));
    let before = store.operations();
    let values = ids.iter().map(|id| (*id, 7));
    one.run(|| entry!(many(&ids)).put(values)).unwrap();
    let operations = store.operations() - before;
    assert!(operations <= 5, "{operations} operations");
    one.run(|| assert_eq!(many(&ids)[&99], 7));
    other.advance(Duration::from_secs(5));
    other.run(|| assert_eq!(many(&ids)[&99], 7));
    assert_eq!((one.stats().loads, other.stats().loads), (0, 100));
}

#[test]
fn a_batch_is_read_in_one_operation_and_written_in_one() {
    let (_turn, store, one, other) = world();
    let ids: Vec<u64> = (0..100).collect();
    one.run(|| many(&ids));
    let before = store.operations();
    assert_eq!(other.run(|| many(&ids)).len(), 100);
    assert_eq!(store.operations() - before, 1);
    assert_eq!(other.stats().loads, 0);
    let before = store.operations();
    assert_eq!(other.run(|| many(&[7, 7, 200])).len(), 2);
    assert!(
        store.operations() - before <= 4,
        "one read, versions of one new scope, one write"
    );
}

#[test]
fn a_value_put_by_hand_reaches_the_others() {
    let (_turn, _, one, other) = world();
    one.run(|| value(1)).unwrap();
    one.run(|| entry!(value(1)).put(Ok(7))).unwrap();
    assert_eq!(other.run(|| value(1)), Ok(7));
    assert_eq!(other.stats().loads, 0);
}

#[derive(Clone, PartialEq, Debug)]
struct Local(u64);

#[cached(timeout = 60)]
fn unserialisable(id: u64) -> Local {
    Local(id)
}

#[cached(timeout = 60, local)]
fn local(id: u64) -> u64 {
    id
}

#[test]
fn what_cannot_be_serialised_and_what_is_local_stay_in_memory() {
    let (_turn, store, one, _) = world();
    assert_eq!(
        one.run(|| (unserialisable(1), unserialisable(1))),
        (Local(1), Local(1))
    );
    assert_eq!(one.run(|| (local(1), local(1))), (1, 1));
    assert_eq!(one.stats().hits, 2);
    assert_eq!((store.operations(), store.keys()), (0, Vec::new()));
}

#[test]
fn with_no_time_for_copies_every_read_asks_the_store() {
    let store = FaultyStore::pushing();
    let process = || {
        let builder = Cache::builder()
            .shared(store.clone())
            .memory_copies(Duration::ZERO);
        TestCache::with(builder).unwrap()
    };
    let (one, other) = (process(), process());
    let turn = world();
    assert_eq!(one.run(|| value(1)), Ok(1001));
    for now in 2..10 {
        assert_eq!(other.run(|| value(1)), Ok(1000 + now - 1));
        SOURCE.store(now, SeqCst);
        one.run(|| invalidate!(value(1)).wait()).unwrap();
        assert_eq!(other.run(|| value(1)), Ok(1000 + now), "at once");
        assert_eq!(one.run(|| value(1)), Ok(1000 + now));
    }
    assert_eq!((one.stats().hits, one.stats().loads), (0, 1));
    drop(turn);
}

#[test]
fn an_expired_entry_of_the_store_is_not_served() {
    let (_turn, _, one, other) = world();
    one.run(|| value(1)).unwrap();
    SOURCE.store(2, SeqCst);
    other.advance(Duration::from_secs(60));
    assert_eq!(other.run(|| value(1)), Ok(1002));
}

#[test]
fn a_copy_lives_no_longer_than_the_entry_it_is_of() {
    let (_turn, _, one, other) = world();
    one.run(|| value(1)).unwrap();
    other.advance(Duration::from_secs(58));
    assert_eq!(other.run(|| value(1)), Ok(1001));
    SOURCE.store(2, SeqCst);
    other.advance(Duration::from_secs(2));
    assert_eq!(other.run(|| value(1)), Ok(1002));
}

#[cached(timeout = 60, shared, key_prefix = "certain:{id}")]
fn certain(id: u64) -> Result<Option<u64>, std::fmt::Error> {
    Ok(Some(id + SOURCE.load(SeqCst)))
}

#[test]
fn what_is_said_to_be_shared_is() {
    let (_turn, _, one, other) = world();
    assert_eq!(one.run(|| certain(1)), other.run(|| certain(1)));
    assert_eq!((one.stats().loads, other.stats().loads), (1, 0));
}

#[cached(timeout = 60, cache_err = "5s", shared, key_prefix = "failing:{id}")]
fn failing(id: u64) -> Result<u64, String> {
    match SOURCE.load(SeqCst) {
        0 => Err(format!("{id} is down")),
        now => Ok(id * 1000 + now),
    }
}

#[cached(
    timeout = 60,
    cache_none,
    cache_err,
    shared,
    key_prefix = "perhaps:{id}"
)]
fn perhaps(id: u64) -> Result<Option<u64>, String> {
    match SOURCE.load(SeqCst) {
        0 => Err(format!("{id} is down")),
        now => Ok((id > 0).then_some(now)),
    }
}

#[cached(timeout = 60, cache_err, key_prefix = "odd:{id}")]
fn odd(id: u64) -> Result<u64, std::fmt::Error> {
    (id > 0).then_some(id).ok_or(std::fmt::Error)
}

#[test]
fn errors_that_are_stored_are_shared_for_their_own_time() {
    let (_turn, _, one, other) = world();
    SOURCE.store(0, SeqCst);
    let down = || Err("1 is down".to_owned());
    assert_eq!(one.run(|| failing(1)), down());
    SOURCE.store(1, SeqCst);
    assert_eq!(other.run(|| failing(1)), down());
    assert_eq!((one.stats().loads, other.stats().loads), (1, 0));
    other.advance(Duration::from_secs(5));
    assert_eq!(other.run(|| failing(1)), Ok(1001));
    assert_eq!(other.stats().loads, 1);
}

#[test]
fn nothing_and_errors_and_values_are_told_apart_on_the_store() {
    let (_turn, _, one, other) = world();
    for (now, id) in [(0, 1), (1, 0), (1, 2)] {
        SOURCE.store(now, SeqCst);
        let here = one.run(|| perhaps(id));
        SOURCE.store(7, SeqCst);
        assert_eq!(other.run(|| perhaps(id)), here);
    }
    assert_eq!((one.stats().loads, other.stats().loads), (3, 0));
    assert_eq!(other.store_status().unwrap().memory_only, [""; 0]);
}

#[test]
fn errors_that_cannot_be_serialised_keep_their_results_in_memory() {
    let (_turn, _, one, other) = world();
    for cache in [&one, &other] {
        assert_eq!(cache.run(|| odd(0)), Err(std::fmt::Error));
        assert_eq!(cache.run(|| odd(0)), Err(std::fmt::Error));
        assert_eq!((cache.stats().loads, cache.stats().hits), (1, 1));
        assert_eq!(cache.store_status().unwrap().memory_only, ["stores::odd"]);
    }
}

#[test]
fn what_stays_in_memory_is_shown() {
    let (_turn, _, one, _) = world();
    one.run(|| (unserialisable(1), local(1)));
    let alone = one.store_status().unwrap().memory_only;
    assert_eq!(alone, ["stores::unserialisable"]);
}
