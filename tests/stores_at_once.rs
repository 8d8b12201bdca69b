//! Several tasks of one process that change things on one store at once, and calls with very many
//! keys. Two caches on one store stand for two processes.
#![cfg(feature = "stores")]

mod common;
#[cfg(all(feature = "redis", feature = "memcached", feature = "database"))]
#[path = "servers/origin.rs"]
mod origin;
#[cfg(all(feature = "redis", feature = "memcached", feature = "database"))]
mod servers;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use common::{Gate, Step, Task};
use dewar::store::{Found, Item, Store};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{BoxFuture, Cache, Error, cached, entry, invalidate};
use futures::executor::block_on;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);

/// One that serves nothing from memory, and one that does.
fn processes(store: Arc<dyn Store>) -> [Arc<TestCache>; 2] {
    [Duration::ZERO, HOUR].map(|copies| {
        let builder = Cache::builder().shared(Arc::clone(&store));
        Arc::new(TestCache::with(builder.memory_copies(copies)).unwrap())
    })
}

type Change = Task<Result<(), Error>>;

fn set(cache: &Arc<TestCache>, key: &'static str, value: u64) -> Change {
    let cache = Arc::clone(cache);
    Task::new(async move { cache.set(key, value, HOUR).await })
}

fn delete(cache: &Arc<TestCache>, key: &'static str) -> Change {
    let cache = Arc::clone(cache);
    Task::new(async move { cache.delete(key).await.map(drop) })
}

fn load(cache: &Arc<TestCache>, key: &'static str, value: u64) -> Change {
    let cache = Arc::clone(cache);
    Task::new(async move {
        let loaded = cache.get_or_load(key, HOUR, || async move { Ok::<_, ()>(value) });
        assert!(loaded.await.is_ok());
        Ok(())
    })
}

fn get(cache: &TestCache, key: &str) -> Option<u64> {
    block_on(cache.get(key))
}

#[test]
fn what_one_task_sets_is_not_void_by_what_another_delivers_meanwhile() {
    let gate = Gate::before(FaultyStore::new());
    let caches @ [one, _] = &processes(Arc::new(gate.clone()));
    gate.shut(Step::Version);
    let mut first = set(one, "first", 1).waiting();
    let mut second = set(one, "second", 2).waiting();
    gate.open();
    first.done().unwrap();
    second.done().unwrap();
    for cache in caches {
        assert_eq!(get(cache, "first"), Some(1));
        assert_eq!(get(cache, "second"), Some(2));
    }
}

#[test]
fn what_is_set_before_an_invalidation_is_awaited_waits_for_nobody_and_is_there() {
    let caches @ [one, _] = &processes(Arc::new(FaultyStore::new()));
    let confirmation = one.run(|| invalidate!(all));
    set(one, "key", 1).done().unwrap();
    assert_eq!(block_on(one.increment("count", 1)).unwrap(), 1);
    block_on(confirmation).unwrap();
    for cache in caches {
        assert_eq!(get(cache, "key"), Some(1));
    }
}

#[test]
fn a_deletion_that_the_store_refuses_is_tried_again() {
    let store = FaultyStore::new();
    let [one, other] = processes(Arc::new(store.clone()));
    block_on(other.set("key", 1, HOUR)).unwrap();
    store.refuse(true);
    block_on(one.delete("key")).unwrap_err();
    store.refuse(false);
    assert!(common::until(|| {
        one.advance(Duration::from_secs(1));
        one.store_status().unwrap().undelivered == 0
    }));
    assert_eq!(get(&one, "key"), None);
}

/// A store whose operations take two polls more than they need: others come in between.
struct Interleaved(FaultyStore);

async fn pause() {
    let mut polled = false;
    let pause = std::future::poll_fn(|cx| match std::mem::replace(&mut polled, true) {
        true => std::task::Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        }
    });
    pause.await;
}

fn between<'a, T: Send>(operation: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T> {
    Box::pin(async move {
        pause().await;
        let done = operation.await;
        pause().await;
        done
    })
}

impl Store for Interleaved {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        between(self.0.get_many(keys))
    }

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        between(self.0.set_many(items))
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        between(self.0.delete_many(keys))
    }

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        between(self.0.add_many(items))
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        between(self.0.swap(expected, item))
    }
}

/// Runs all tasks to their ends, polled as `order` says, and then in turns.
fn interleave(mut tasks: Vec<Change>, order: &[usize]) {
    let mut turns = order.iter().copied().chain(0..);
    while !tasks.is_empty() {
        let at = turns.next().unwrap_or_default() % tasks.len();
        if let std::task::Poll::Ready(done) = tasks[at].step() {
            done.unwrap();
            drop(tasks.swap_remove(at));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_tasks_set_side_by_side_is_there_for_all(order: Vec<u8>) {
        let caches @ [one, other] = &processes(Arc::new(Interleaved(FaultyStore::new())));
        let order: Vec<usize> = order.into_iter().map(usize::from).collect();
        interleave(
            vec![set(one, "a", 1), set(one, "b", 2), set(other, "c", 3), delete(one, "d")],
            &order,
        );
        for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
            for cache in caches {
                prop_assert_eq!(get(cache, key), Some(value), "{}", key);
            }
        }
    }

    #[test]
    fn tasks_of_a_process_that_change_one_key_leave_it_one_value(order: Vec<u8>, gone: bool) {
        let [elsewhere, one] = &processes(Arc::new(Interleaved(FaultyStore::new())));
        let order: Vec<usize> = order.into_iter().map(usize::from).collect();
        let last = if gone { delete(one, "key") } else { set(one, "key", 3) };
        interleave(vec![set(one, "key", 1), set(one, "key", 2), last], &order);
        let there = get(elsewhere, "key");
        prop_assert_eq!(get(one, "key"), there);
        prop_assert!(gone || there.is_some(), "one of them was the last");
    }

    #[test]
    fn what_is_set_is_not_lost_by_a_load_that_ends_later(order: Vec<u8>) {
        let caches @ [one, other] = &processes(Arc::new(Interleaved(FaultyStore::new())));
        let order: Vec<usize> = order.into_iter().map(usize::from).collect();
        let tasks = vec![load(one, "key", 1), set(other, "key", 2), load(one, "key", 1)];
        interleave(tasks, &order);
        for cache in caches {
            prop_assert_eq!(get(cache, "key"), Some(2));
        }
        prop_assert!(!block_on(one.add("key", 3, HOUR)).unwrap(), "there is one");
    }
}

#[cached(timeout = 600, single_flight = "distributed", skip(meanwhile))]
async fn leased(id: u64, meanwhile: Option<Arc<TestCache>>) -> u64 {
    if let Some(other) = meanwhile {
        let put = async { entry!(leased(id, None)).put(2).await };
        other.run_async(put).await.unwrap();
    }
    id
}

#[test]
fn what_is_set_is_not_lost_by_a_load_under_a_lease_that_ends_later() {
    let caches @ [one, other] = &processes(Arc::new(FaultyStore::new()));
    let loaded = one.run_async(leased(1, Some(Arc::clone(other))));
    assert_eq!(block_on(loaded), 1, "its caller began before");
    for cache in caches {
        assert_eq!(block_on(cache.run_async(leased(1, None))), 2);
    }
}

static LOADS: AtomicUsize = AtomicUsize::new(0);

#[cached(timeout = 600, batch = ids)]
async fn many(ids: &[u64]) -> HashMap<u64, u64> {
    LOADS.fetch_add(ids.len(), SeqCst);
    ids.iter().map(|id| (*id, id * 2)).collect()
}

#[cached(timeout = 600)]
fn unrelated(id: u64) -> u64 {
    id
}

#[test]
fn a_call_with_very_many_keys_leaves_all_else_alone() {
    let [one, other] = processes(Arc::new(FaultyStore::new()));
    one.run(|| unrelated(1));
    let values = || (0..3000).map(|n| (format!("key {n}"), n));
    block_on(one.set_many(values(), HOUR)).unwrap();
    assert_eq!(get(&other, "key 2999"), Some(2999));
    let keys: Vec<String> = values().map(|(key, _)| key).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    assert_eq!(block_on(one.delete_many(&keys)).unwrap(), 3000);
    assert_eq!(get(&other, "key 0"), None);
    let loads = other.stats().loads;
    other.run(|| unrelated(1));
    assert_eq!(other.stats().loads, loads, "nobody invalidated it");
}

#[cfg(all(feature = "redis", feature = "memcached", feature = "database"))]
mod on_servers {
    use super::{Cache, Duration, HOUR, LOADS, SeqCst, entry, many};
    use crate::origin::Origin;

    const TASKS: u64 = 16;

    fn each(test: impl AsyncFn(&str, Cache, Cache)) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let runtime = runtime.unwrap();
        for (name, origin) in [
            ("redis", Origin::redis()),
            ("memcached", Origin::memcached()),
            ("postgres", Origin::postgres()),
        ] {
            let [one, other] = [(); 2].map(|()| {
                let builder = Cache::builder().shared(origin.open(origin.port()));
                // Of a machine that has other things to do.
                let builder = builder.store_timeout(Duration::from_secs(10));
                builder.memory_copies(Duration::ZERO).build().unwrap()
            });
            runtime.block_on(test(name, one, other));
        }
    }

    #[test]
    fn what_tasks_set_side_by_side_is_there_for_all() {
        each(async |name, one, other| {
            let task = |task: u64| {
                let (one, other) = (one.clone(), other.clone());
                async move {
                    let mut lost = 0;
                    for n in 0..25 {
                        let key = format!("{task}:{n}");
                        one.set(&key, n, HOUR).await.unwrap();
                        for cache in [&one, &other] {
                            lost += usize::from(cache.get(&key).await != Some(n));
                        }
                    }
                    lost
                }
            };
            let mut tasks: tokio::task::JoinSet<_> = (0..TASKS).map(task).collect();
            while let Some(lost) = tasks.join_next().await {
                assert_eq!(lost.unwrap(), 0, "{name}");
            }
        });
    }

    #[test]
    fn a_refresh_of_many_keys_is_there_for_all() {
        each(async |name, one, other| {
            let ids: Vec<u64> = (0..300).collect();
            one.scope(many(&ids)).await;
            one.scope(entry!(many(&ids)).refresh()).await;
            let loads = LOADS.load(SeqCst);
            other.scope(many(&ids)).await;
            assert_eq!(LOADS.load(SeqCst), loads, "{name}");
            assert_eq!(one.stats().store_errors, 0, "{name}");
        });
    }
}
