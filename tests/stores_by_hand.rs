//! The low-level operations on a shared store: two caches on one store stand for two processes.
#![cfg(feature = "stores")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use common::forward;
use dewar::store::{Item, Store};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{BoxFuture, Cache, Error, Expiry};
use futures::executor::block_on;

const HOUR: Duration = Duration::from_secs(3600);

fn processes(store: &FaultyStore) -> [TestCache; 2] {
    [(); 2].map(|()| {
        let builder = Cache::builder().shared(store.clone());
        TestCache::with(builder).expect("these settings are accepted")
    })
}

/// Waits for what other threads do.
fn until(mut holds: impl FnMut() -> bool) -> bool {
    (0..5000).any(|_| {
        std::thread::sleep(Duration::from_millis(1));
        holds()
    })
}

fn hearing(store: &FaultyStore) -> [TestCache; 2] {
    let both = processes(store);
    let up = |cache: &TestCache| cache.store_status().unwrap().push == Some(true);
    assert!(until(|| both.iter().all(up)));
    both
}

#[test]
fn what_one_process_sets_another_gets() {
    let [one, other] = processes(&FaultyStore::new());
    block_on(async {
        one.set("a", 1u64, HOUR).await.unwrap();
        assert_eq!(other.get("a").await, Some(1u64));
        assert_eq!(other.get::<u64>("a").await, Some(1));
        assert_eq!(other.stats().hits, 1, "the second time from memory");
        assert_eq!(other.get::<String>("a").await, None, "of another type");
        assert_eq!(other.ttl("a").await, Some(HOUR));
        one.set("nothing", None::<u64>, HOUR).await.unwrap();
        assert_eq!(other.get("nothing").await, Some(None::<u64>));
        assert!(other.contains("nothing").await && !other.contains("b").await);
    });
}

#[test]
fn several_are_read_in_one_operation_and_written_in_as_many_as_one() {
    let store = FaultyStore::new();
    let [one, other] = processes(&store);
    let keys: Vec<String> = (0..100).map(|n| format!("k{n}")).collect();
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    block_on(async {
        let values = keys.iter().map(|key| (key.clone(), key.len()));
        one.set_many(values, HOUR).await.unwrap();
        let before = store.operations();
        let found = other.get_many::<usize>(&names).await;
        assert_eq!((found.len(), found["k42"]), (100, 3));
        assert_eq!(store.operations() - before, 1);
        let before = store.operations();
        one.set_many(keys.iter().map(|key| (key.clone(), 0usize)), HOUR)
            .await
            .unwrap();
        let operations = store.operations() - before;
        assert!(operations <= 4, "{operations} operations");
        assert_eq!(one.delete_many(&names).await.unwrap(), 100);
        assert_eq!(one.get_many::<usize>(&names).await.len(), 0);
        store.damage(":k", |bytes| assert!(bytes.len() < 2, "it takes no room"));
    });
}

/// A store that takes nothing until something is deleted.
struct Full {
    store: FaultyStore,
    full: AtomicBool,
}

impl Store for Full {
    forward!(store: get_many, add_many, swap);

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        match self.full.load(SeqCst) {
            true => Box::pin(async { Err(Error::refused("write", "there is no room")) }),
            false => self.store.set_many(items),
        }
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        self.full.store(false, SeqCst);
        self.store.delete_many(keys)
    }
}

#[test]
fn what_is_deleted_makes_room_for_that() {
    let store = Arc::new(Full {
        store: FaultyStore::new(),
        full: AtomicBool::new(false),
    });
    let builder = Cache::builder().shared(Arc::clone(&store));
    let cache = TestCache::with(builder).unwrap();
    block_on(cache.set("k", 1, HOUR)).unwrap();
    store.full.store(true, SeqCst);
    block_on(cache.set("l", 1, HOUR)).unwrap_err();
    assert!(block_on(cache.delete("k")).unwrap());
    assert_eq!(block_on(cache.get::<i32>("k")), None);
}

#[test]
fn what_is_set_and_deleted_is_seen_elsewhere_at_once_where_the_store_pushes() {
    let [one, other] = hearing(&FaultyStore::pushing());
    let (one, other) = (one.blocking(), other.blocking());
    one.set("a", 1, HOUR).unwrap();
    assert_eq!(other.get("a"), Some(1));
    one.set("a", 2, HOUR).unwrap();
    assert!(until(|| other.get("a") == Some(2)));
    assert!(one.delete("a").unwrap());
    assert!(until(|| other.get::<i32>("a").is_none()));
    assert!(!other.delete("a").unwrap());
}

#[test]
fn of_all_processes_one_adds() {
    let store = FaultyStore::new();
    let [one, other] = processes(&store);
    let wins = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for n in 0..16u32 {
            let (cache, wins) = (if n % 2 == 0 { &one } else { &other }, &wins);
            scope.spawn(move || {
                if cache.blocking().add("lock", n, HOUR).unwrap() {
                    wins.fetch_add(1, SeqCst);
                }
            });
        }
    });
    assert_eq!(wins.load(SeqCst), 1);
    assert!(one.blocking().delete("lock").unwrap());
    assert!(other.blocking().add("lock", 1u32, HOUR).unwrap());
    assert!(!one.blocking().add("lock", 2u32, HOUR).unwrap());
    other.clear().wait().unwrap();
    assert!(
        one.blocking().add("lock", 3u32, HOUR).unwrap(),
        "void is free"
    );
    store.fail(true);
    let failed = one.blocking().add("new", 1u32, HOUR);
    assert!(failed.unwrap_err().is_store(), "nobody knows");
}

#[test]
fn no_count_is_lost_between_processes() {
    let [one, other] = hearing(&FaultyStore::pushing());
    std::thread::scope(|scope| {
        for n in 0..8 {
            let cache = if n % 2 == 0 { &one } else { &other };
            scope.spawn(move || {
                for _ in 0..50 {
                    cache.blocking().increment("n", 1).unwrap();
                }
            });
        }
    });
    assert_eq!(one.blocking().increment("n", 0).unwrap(), 400);
    assert!(until(|| other.blocking().get("n") == Some(400i64)));
    assert_eq!(other.blocking().decrement("n", 1).unwrap(), 399);
    assert!(until(|| one.blocking().get("n") == Some(399i64)));
    one.blocking().set("text", "x".to_owned(), HOUR).unwrap();
    let error = other.blocking().increment("text", 1).unwrap_err();
    assert!(error.is_value(), "{error}");
    one.blocking().set("most", i64::MAX, HOUR).unwrap();
    assert!(
        other
            .blocking()
            .increment("most", 1)
            .unwrap_err()
            .is_value()
    );
}

#[test]
fn a_count_keeps_its_expiry_and_a_touch_changes_it() {
    let [one, other] = processes(&FaultyStore::new());
    block_on(async {
        one.set("n", 1i64, HOUR).await.unwrap();
        other.increment("n", 1).await.unwrap();
        assert_eq!(one.ttl("n").await, Some(HOUR));
        assert!(one.touch("n", HOUR * 2).await.unwrap());
        assert_eq!(other.ttl("n").await, Some(HOUR * 2));
        assert!(one.touch("n", Expiry::Never).await.unwrap());
        assert_eq!(other.ttl("n").await, Some(Duration::MAX));
        assert_eq!(other.get("n").await, Some(2i64));
        assert!(!one.touch("none", HOUR).await.unwrap());
    });
}

#[test]
fn what_one_process_loaded_by_hand_another_gets() {
    let [one, other] = processes(&FaultyStore::new());
    block_on(async {
        let load = |n: u64| async move { Ok::<_, ()>(n) };
        assert_eq!(one.get_or_load("a", HOUR, || load(1)).await, Ok(1));
        assert_eq!(other.get_or_load("a", HOUR, || load(2)).await, Ok(1));
        assert_eq!(other.get("a").await, Some(1u64));
    });
}

#[test]
fn a_store_that_fails_is_a_miss_to_reads_and_an_error_to_writes() {
    let store = FaultyStore::new();
    let [one, other] = processes(&store);
    block_on(async {
        one.set("a", 1, HOUR).await.unwrap();
        store.fail(true);
        assert_eq!(other.get::<i32>("a").await, None);
        assert!(one.set("a", 2, HOUR).await.unwrap_err().is_store());
        assert_eq!(one.get("a").await, Some(2), "what was set is set here");
        assert!(one.delete("a").await.unwrap_err().is_store());
        assert_eq!(one.get::<i32>("a").await, None);
        store.fail(false);
        assert_eq!(one.get::<i32>("a").await, None, "undelivered, so not read");
    });
}

#[test]
fn what_cannot_be_serialised_is_an_error() {
    let [one, _] = processes(&FaultyStore::new());
    let odd = std::collections::HashMap::from([((1, 2), 3)]);
    let error = block_on(one.set("odd", odd, HOUR)).unwrap_err();
    assert!(error.is_value(), "{error}");
}

#[test]
fn everything_is_cleared_everywhere() {
    let [one, other] = hearing(&FaultyStore::pushing());
    one.blocking().set("a", 1, HOUR).unwrap();
    assert_eq!(other.blocking().get("a"), Some(1));
    one.clear().wait().unwrap();
    assert!(until(|| other.blocking().get::<i32>("a").is_none()));
}

#[test]
fn a_deletion_whose_caller_leaves_is_delivered_all_the_same() {
    use std::task::{Context, Waker};
    let store = FaultyStore::new();
    let [one, other] = processes(&store);
    block_on(one.set("a", 1u64, HOUR)).unwrap();
    {
        let mut deletion = Box::pin(one.delete("a"));
        // It has looked what is there, and is about to write a version.
        store.stall_after(1);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(std::future::Future::poll(deletion.as_mut(), &mut cx).is_pending());
        assert_eq!(one.store_status().unwrap().undelivered, 1);
    }
    store.stall(false);
    // What began meanwhile is given up after its time.
    assert!(until(|| {
        one.advance(Duration::from_secs(1));
        one.store_status().unwrap().undelivered == 0
    }));
    assert_eq!(block_on(other.get::<u64>("a")), None);
}
