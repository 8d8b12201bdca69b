//! Whoever writes and is overtaken by another, in its own process or elsewhere, leaves all of one
//! mind: no process is given another value than the rest. Two caches on one store stand for two
//! processes.
#![cfg(feature = "stores")]

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::Poll;

use common::{Gate, Step, Task, hears, secs, turn, until};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, cached, entry};
use futures::executor::block_on;

/// More than are told of one by one.
const MANY: usize = 1100;

struct World {
    gate: Gate,
    one: TestCache,
    other: TestCache,
}

impl World {
    fn new() -> World {
        let gate = Gate::before(FaultyStore::pushing());
        let (one, other) = (process(&gate), process(&gate));
        World { gate, one, other }
    }
}

fn process(gate: &Gate) -> TestCache {
    let cache = TestCache::with(Cache::builder().shared(gate.clone())).unwrap();
    assert!(until(|| hears(&cache)));
    cache
}

fn get(cache: &TestCache, key: &str) -> Option<u64> {
    block_on(cache.get(key))
}

fn many(value: u64) -> Vec<(String, u64)> {
    (0..MANY).map(|n| (format!("k{n}"), value)).collect()
}

fn set(cache: &TestCache, key: &'static str, value: u64) -> Task<Result<(), dewar::Error>> {
    let cache = (**cache).clone();
    Task::new(async move { cache.set(key, value, secs(60)).await })
}

fn set_many(cache: &TestCache, value: u64) -> Task<Result<(), dewar::Error>> {
    let cache = (**cache).clone();
    Task::new(async move { cache.set_many(many(value), secs(60)).await })
}

/// Steps until it has ended, or waits at the gate.
fn go(task: &mut Task<Result<(), dewar::Error>>) {
    assert!(task.step().is_pending(), "it has ended");
}

#[test]
fn many_values_set_at_once_do_not_take_the_place_of_what_was_set_since() {
    for step in [Step::Version, Step::ToldInvalid, Step::Look, Step::Value] {
        println!("{step:?}");
        let World { gate, one, other } = &World::new();
        gate.shut(step);
        let mut all = set_many(one, 1);
        go(&mut all);
        gate.let_others_pass();
        block_on(other.set("k7", 2u64, secs(60))).unwrap();
        // It arrives, so that what comes is not set right by it.
        assert!(until(|| one.stats().messages > 0));
        all.done().unwrap();
        assert!(until(|| other.stats().messages > 0));
        let read = [get(one, "k7"), get(other, "k7"), get(&process(gate), "k7")];
        let mut given: Vec<u64> = read.into_iter().flatten().collect();
        given.dedup();
        assert!(given.len() <= 1, "{step:?}: {read:?}");
        if !matches!(step, Step::Version) {
            assert_ne!(given, [1], "{step:?}: it was set since");
        }
        assert_eq!(get(other, "k1099"), Some(1), "{step:?}: the others are set");
    }
}

#[test]
fn many_values_set_or_deleted_at_once_leave_all_else_where_it_is() {
    let World { gate, one, other } = &World::new();
    block_on(async {
        one.set("else", 5u64, secs(60)).await.unwrap();
        one.set_many(many(1), secs(60)).await.unwrap();
        assert_eq!(one.get("else").await, Some(5u64));
        let names: Vec<String> = (0..MANY).map(|n| format!("k{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(other.get_many::<u64>(&names).await.len(), MANY);
        assert_eq!(one.delete_many(&names).await.unwrap(), MANY);
        assert_eq!(one.get("else").await, Some(5u64));
        assert!(one.get_many::<u64>(&names).await.is_empty());
    });
    assert!(until(|| get(other, "k1099").is_none()));
    assert_eq!(get(&process(gate), "else"), Some(5), "on the store");
}

#[test]
fn many_values_that_the_store_does_not_take_are_invalid_everywhere_when_it_answers() {
    let World { gate, one, other } = &World::new();
    block_on(one.set_many(many(1), secs(60))).unwrap();
    assert_eq!(get(other, "k1099"), Some(1));
    gate.store.fail(true);
    assert!(block_on(one.set_many(many(2), secs(60))).is_err());
    assert_eq!(get(one, "k1099"), Some(2), "what was set is set here");
    gate.store.fail(false);
    assert!(until(|| {
        one.advance(secs(1));
        one.store_status().unwrap().undelivered == 0
    }));
    assert!(until(|| get(other, "k1099").is_none()));
    assert!(until(|| get(other, "k7").is_none()));
}

#[test]
fn of_two_threads_that_set_a_key_one_stays_for_all() {
    for step in [Step::Version, Step::ToldInvalid, Step::Look, Step::Value] {
        println!("{step:?}");
        let World { gate, one, other } = &World::new();
        gate.shut(step);
        let mut first = set(one, "a", 1);
        go(&mut first);
        gate.let_others_pass();
        block_on(one.set("a", 2u64, secs(60))).unwrap();
        assert!(until(|| other.stats().messages > 0));
        first.done().unwrap();
        let read = [get(one, "a"), get(other, "a"), get(&process(gate), "a")];
        let mut given: Vec<u64> = read.into_iter().flatten().collect();
        given.dedup();
        assert!(given.len() <= 1, "{step:?}: {read:?}");
    }
}

#[test]
fn a_thread_whose_value_another_is_about_to_replace_is_told_of_no_error() {
    let World { gate, one, other } = &World::new();
    gate.shut(Step::Look);
    let mut first = set(one, "a", 1);
    go(&mut first);
    gate.shut(Step::Version);
    let mut second = set(one, "a", 2);
    go(&mut second);
    gate.let_others_pass();
    let mut both = vec![first, second];
    for _ in 0..10 {
        both.retain_mut(|task| match task.step() {
            Poll::Ready(done) => done.is_err(),
            Poll::Pending => true,
        });
    }
    assert!(both.is_empty(), "one of them is told of an error, or waits");
    let read = [get(one, "a"), get(other, "a"), get(&process(gate), "a")];
    let mut given: Vec<u64> = read.into_iter().flatten().collect();
    given.dedup();
    assert!(given.len() <= 1, "{read:?}");
}

#[test]
fn what_is_added_where_the_store_has_lost_it_takes_the_place_of_copies() {
    let World { gate, one, other } = &World::new();
    block_on(one.set("a", 1u64, secs(60))).unwrap();
    assert!(until(|| other.stats().messages == 1));
    assert_eq!(get(other, "a"), Some(1));
    gate.store.forget_keys(":a:");
    assert_eq!(get(other, "a"), Some(1), "a copy");
    assert!(block_on(one.add("a", 2u64, secs(60))).unwrap());
    assert_eq!(get(one, "a"), Some(2));
    assert!(until(|| get(other, "a") == Some(2)));
}

/// The data behind the cache.
static SOURCE: AtomicU64 = AtomicU64::new(1);

#[cached(timeout = 60, key_prefix = "one")]
async fn loaded() -> u64 {
    SOURCE.load(SeqCst)
}

#[cached(timeout = 60, key_prefix = "loose", single_flight = false)]
async fn loose() -> u64 {
    SOURCE.load(SeqCst)
}

#[cached(timeout = 60, key_prefix = "many", batch = ids)]
async fn loaded_many(ids: &[u64]) -> HashMap<u64, u64> {
    let now = SOURCE.load(SeqCst);
    ids.iter().map(|id| (*id, now)).collect()
}

type Refresh = fn(&TestCache) -> Task<u64>;
const REFRESHES: [(&str, Refresh); 2] = [
    ("one", |cache| {
        Task::new(cache.run_async(async { entry!(loaded()).refresh().await }))
    }),
    ("many", |cache| {
        Task::new(cache.run_async(async { entry!(loaded_many(&[7])).refresh().await[&7] }))
    }),
];

/// What a process has of the one that is refreshed by this name.
fn read(name: &str, cache: &TestCache) -> u64 {
    match name {
        "one" => block_on(cache.scope(loaded())),
        _ => block_on(cache.scope(loaded_many(&[7])))[&7],
    }
}

#[test]
fn what_was_read_from_the_store_before_it_had_an_invalidation_is_not_taken_for_newer() {
    let _turn = turn(&SOURCE);
    let World { gate, one, .. } = &World::new();
    let read = || Task::new(one.run_async(loaded()));
    assert_eq!(read().done(), 1);
    SOURCE.store(2, SeqCst);
    gate.shut(Step::Version);
    let invalidated = one.run(|| dewar::invalidate!(loaded()));
    let mut invalidated = Task::new(invalidated).waiting();
    // It begins after the invalidation, and its reply is on its way when the store has that.
    gate.shut(Step::Read);
    let mut second = read().waiting();
    invalidated.done().unwrap();
    gate.let_others_pass();
    assert_eq!(second.done(), 2);
    assert_eq!(read().done(), 2);
}

#[test]
fn what_is_read_from_the_store_during_a_refresh_does_not_take_its_place() {
    let _turn = turn(&SOURCE);
    type Call = fn(&TestCache) -> Task<Option<u64>>;
    let ways: [(&str, Refresh, Call, Call); 3] = [
        (
            "got",
            REFRESHES[0].1,
            |cache| Task::new(cache.run_async(async { entry!(loaded()).get().await })),
            |cache| Task::new(cache.run_async(async { Some(loaded().await) })),
        ),
        (
            "many got",
            REFRESHES[1].1,
            |cache| {
                let got = async { entry!(loaded_many(&[7])).get().await.remove(&7) };
                Task::new(cache.run_async(got))
            },
            |cache| Task::new(cache.run_async(async { loaded_many(&[7]).await.remove(&7) })),
        ),
        (
            "called",
            |cache| Task::new(cache.run_async(async { entry!(loose()).refresh().await })),
            |cache| Task::new(cache.run_async(async { Some(loose().await) })),
            |cache| Task::new(cache.run_async(async { Some(loose().await) })),
        ),
    ];
    for (name, refresh, get, read) in ways {
        let World { gate, one, other } = &World::new();
        let old = SOURCE.load(SeqCst);
        assert_eq!(read(other).done(), Some(old));
        gate.shut(Step::Version);
        SOURCE.store(old + 1, SeqCst);
        let mut refreshed = refresh(one).waiting();
        assert_eq!(get(one).done(), Some(old), "{name}: nothing else is there");
        gate.let_others_pass();
        assert_eq!(refreshed.done(), old + 1);
        assert_eq!(read(one).done(), Some(old + 1), "{name}");
    }
}

#[test]
fn of_two_refreshes_no_older_one_stays() {
    let _turn = turn(&SOURCE);
    for (name, refresh) in REFRESHES {
        for same in [false, true] {
            let world = World::new();
            let (one, other) = (&world.one, if same { &world.one } else { &world.other });
            let read = |cache: &TestCache| read(name, cache);
            let old = SOURCE.fetch_add(1, SeqCst);
            assert_eq!(read(one), old + 1);
            world.gate.shut(Step::Version);
            let mut older = refresh(one).waiting();
            SOURCE.store(old + 2, SeqCst);
            let mut newer = refresh(other).waiting();
            world.gate.let_others_pass();
            assert_eq!(older.done(), old + 1);
            assert_eq!(newer.done(), old + 2);
            for cache in [one, other, &process(&world.gate)] {
                let new = until(|| read(cache) == old + 2);
                assert!(new, "{name}: the newer one is lost");
            }
        }
    }
}

#[test]
fn what_is_computed_afresh_is_so_for_all_though_its_caller_leaves() {
    let _turn = turn(&SOURCE);
    for (name, refresh) in REFRESHES {
        for step in [Step::Version, Step::Value, Step::ToldInvalid] {
            let World { gate, one, other } = &World::new();
            let read = |cache: &TestCache| read(name, cache);
            let old = SOURCE.load(SeqCst);
            assert_eq!((read(one), read(other)), (old, old));
            SOURCE.store(old + 1, SeqCst);
            gate.shut(step);
            drop(refresh(one).waiting());
            gate.open();
            for cache in [one, other] {
                assert!(until(|| read(cache) == old + 1), "{name} {step:?}");
            }
        }
    }
}

#[test]
fn of_two_that_add_while_the_key_is_deleted_one_wins() {
    for step in [Step::Version, Step::ToldInvalid] {
        let World { gate, one, other } = &World::new();
        let add = |value: u64| block_on(other.add("lock", value, secs(60))).unwrap();
        assert!(add(1));
        gate.shut(step);
        let mut deleted = Task::new({
            let one = (**one).clone();
            async move { one.delete("lock").await }
        });
        assert!(deleted.step().is_pending());
        gate.let_others_pass();
        let meanwhile = add(2);
        assert_eq!(
            meanwhile,
            step != Step::Version,
            "it is there until it is void"
        );
        assert!(deleted.done().unwrap());
        assert_eq!(add(3), !meanwhile, "{step:?}");
        assert!(!add(4));
        let there = if meanwhile { 2 } else { 3 };
        assert!(until(|| get(one, "lock") == Some(there)));
    }
}

#[test]
fn what_another_call_was_to_deliver_and_left_is_tried_again() {
    let World { gate, one, other } = &World::new();
    block_on(other.set("a", 1u64, secs(60))).unwrap();
    assert_eq!(get(one, "a"), Some(1));
    gate.store.refuse(true);
    one.run(|| dewar::invalidate!(all).wait()).unwrap_err();
    gate.store.refuse(false);
    gate.shut(Step::Version);
    let mut counted = Task::new({
        let one = (**one).clone();
        async move { one.increment("n", 1).await }
    });
    assert!(counted.step().is_pending(), "it delivers that first");
    assert!(gate.is_waited_at());
    // The background goes by, and has nothing to do.
    one.advance(secs(1));
    std::thread::sleep(common::millis(50));
    drop(counted);
    gate.open();
    assert!(until(|| {
        one.advance(secs(1));
        one.store_status().unwrap().undelivered == 0
    }));
    assert!(until(|| get(other, "a").is_none()));
}

#[test]
fn what_is_computed_afresh_while_the_store_is_gone_is_so_for_all_when_it_answers() {
    let _turn = turn(&SOURCE);
    for (name, refresh) in REFRESHES {
        let World { gate, one, other } = &World::new();
        let read = |cache: &TestCache| read(name, cache);
        let old = SOURCE.load(SeqCst);
        assert_eq!((read(one), read(other)), (old, old));
        SOURCE.store(old + 1, SeqCst);
        gate.store.fail(true);
        assert_eq!(refresh(one).done(), old + 1);
        gate.store.fail(false);
        assert_eq!(read(one), old + 1, "{name}");
        assert!(until(|| {
            one.advance(secs(1));
            one.store_status().unwrap().undelivered == 0
        }));
        assert!(until(|| read(other) == old + 1), "{name}");
    }
}
