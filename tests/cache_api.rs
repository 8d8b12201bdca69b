//! The low-level API of `Cache`, async and blocking.

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use common::{End, Failed, Source, Task, secs};
use dewar::testing::TestCache;
use dewar::{Cache, Expiry};
use futures::executor::block_on;

#[test]
fn set_get_contains_and_delete() {
    block_on(async {
        let cache = TestCache::new();
        assert_eq!(cache.get::<String>("k").await, None);
        assert_eq!(cache.get_or("k", 7).await, 7);
        cache.set("k", "v".to_owned(), secs(60)).await.unwrap();
        assert_eq!(cache.get::<String>("k").await.as_deref(), Some("v"));
        assert!(cache.contains("k").await && !cache.contains("K").await);
        assert!(cache.delete("k").await.unwrap() && !cache.delete("k").await.unwrap());
        assert_eq!(cache.get::<String>("k").await, None);
    });
}

#[test]
fn a_stored_none_is_not_a_miss() {
    block_on(async {
        let cache = TestCache::new();
        cache.set("k", None::<u64>, secs(60)).await.unwrap();
        assert_eq!(cache.get::<Option<u64>>("k").await, Some(None));
        assert!(cache.contains("k").await);
        let loaded = cache
            .get_or_load("k", secs(60), async || Ok::<_, Failed>(Some(1_u64)))
            .await;
        assert_eq!(loaded, Ok(None));
    });
}

#[test]
fn a_value_of_another_type_is_a_miss_and_counted() {
    block_on(async {
        let cache = TestCache::new();
        cache.set("k", 1_u64, secs(60)).await.unwrap();
        assert_eq!(cache.get::<String>("k").await, None);
        assert_eq!(cache.stats().undecodable, 1);
    });
}

#[test]
fn values_live_as_long_as_they_are_told_to() {
    block_on(async {
        let cache = TestCache::with(Cache::builder().default_timeout(secs(10))).unwrap();
        cache.set("default", 1, Expiry::Default).await.unwrap();
        cache.set("short", 1, secs(5)).await.unwrap();
        cache.set("ever", 1, Expiry::Never).await.unwrap();
        assert_eq!(cache.ttl("default").await, Some(secs(10)));
        assert_eq!(cache.ttl("ever").await, Some(Duration::MAX));
        assert_eq!(cache.ttl("none").await, None);
        assert!(cache.touch("short", secs(20)).await.unwrap());
        assert!(!cache.touch("none", secs(20)).await.unwrap());
        cache.advance(secs(10));
        let there = cache.get_many::<i32>(&["default", "short", "ever"]).await;
        assert_eq!(
            there,
            HashMap::from([("short".into(), 1), ("ever".into(), 1)])
        );
        cache.advance(secs(10));
        assert_eq!(cache.get::<i32>("short").await, None);
    });
}

#[test]
fn set_with_no_time_at_all_stores_nothing_and_leaves_nothing_old() {
    block_on(async {
        let cache = TestCache::new();
        cache.set("k", 1, secs(60)).await.unwrap();
        cache.set("k", 2, Duration::ZERO).await.unwrap();
        assert_eq!(cache.get::<i32>("k").await, None);
    });
}

#[test]
fn add_has_one_winner() {
    let cache = TestCache::new();
    for round in 0..200 {
        let key = format!("k{round}");
        let winners: usize = std::thread::scope(|scope| {
            let add = |n: usize| {
                let (cache, key) = (&cache, &key);
                scope.spawn(move || usize::from(cache.blocking().add(key, n, secs(60)).unwrap()))
            };
            let threads: Vec<_> = (0..4).map(add).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(winners, 1);
    }
    assert!(cache.blocking().delete("k0").unwrap());
    assert!(
        cache.blocking().add("k0", 1, secs(60)).unwrap(),
        "and again once it is gone"
    );
    cache.advance(secs(60));
    assert!(
        cache.blocking().add("k0", 1, secs(60)).unwrap(),
        "or has expired"
    );
}

#[test]
fn what_is_written_while_something_else_is_loaded_counts() {
    let cache = TestCache::new();
    let source = Source::shut(7);
    let (loading, data) = (cache.clone(), Arc::clone(&source));
    let load = async move { loading.get_or_load("other", secs(60), || data.load()).await };
    let mut load = Task::new(load).waiting();
    let api = cache.blocking();
    assert!(api.add("k", 1_i64, secs(60)).unwrap());
    assert!(!api.add("k", 2_i64, secs(60)).unwrap(), "one winner");
    assert_eq!(
        (api.get::<i64>("k"), api.increment("k", 4).unwrap()),
        (Some(1), 5)
    );
    assert!(api.touch("k", secs(90)).unwrap() && api.contains("k"));
    source.end(1, End::Well);
    assert_eq!(load.done(), Ok(7));
    assert_eq!(api.get::<u64>("other"), Some(7));
}

#[test]
fn counting_is_atomic_and_keeps_the_expiry() {
    let cache = TestCache::new();
    let api = cache.blocking();
    api.set("n", 10_i64, secs(60)).unwrap();
    cache.advance(secs(20));
    std::thread::scope(|scope| {
        for by in [1, 2, 3, -4] {
            let cache = &cache;
            scope.spawn(move || {
                for _ in 0..500 {
                    cache.blocking().increment("n", by).unwrap();
                }
            });
        }
    });
    assert_eq!(api.get::<i64>("n"), Some(10 + 500 * 2));
    assert_eq!(api.ttl("n"), Some(secs(40)));
    assert_eq!(
        (
            api.increment("new", 5).unwrap(),
            api.decrement("new", 7).unwrap()
        ),
        (5, -2)
    );
    assert_eq!(api.ttl("new"), Some(secs(300)));
}

#[test]
fn counting_what_is_no_number_or_would_overflow_is_an_error() {
    let cache = TestCache::new();
    let api = cache.blocking();
    api.set("text", "x".to_owned(), secs(60)).unwrap();
    let error = api.increment("text", 1).unwrap_err();
    assert!(error.is_value(), "{error}");
    api.set("max", i64::MAX, secs(60)).unwrap();
    let error = api.increment("max", 1).unwrap_err();
    assert!(error.to_string().contains("overflow"), "{error}");
    assert_eq!(api.get::<i64>("max"), Some(i64::MAX));
    assert!(api.decrement("max", i64::MIN).unwrap_err().is_value());
}

#[test]
fn many_at_once() {
    let cache = TestCache::new();
    let api = cache.blocking();
    let values = (0..5).map(|n| (format!("k{n}"), n));
    api.set_many(values, secs(60)).unwrap();
    assert_eq!(api.get_many::<i32>(&["k1", "k9", "k3"]).len(), 2);
    assert_eq!(api.delete_many(&["k1", "k9", "k3"]).unwrap(), 2);
    assert_eq!(
        api.get_many::<i32>(&["k1", "k2", "k3"]),
        HashMap::from([("k2".into(), 2)])
    );
}

#[test]
fn get_or_load_loads_once_and_stores_no_error() {
    let cache = TestCache::new();
    let source = Source::shut(7);
    let call = || {
        let (cache, source) = (cache.clone(), Arc::clone(&source));
        Task::new(async move { cache.get_or_load("k", secs(60), || source.load()).await })
    };
    let (mut first, mut second) = (call().waiting(), call().waiting());
    source.end(1, End::Well);
    assert_eq!(
        (first.done(), second.done(), source.begun()),
        (Ok(7), Ok(7), 1)
    );
    cache.clear().wait().unwrap();
    source.end(2, End::Badly);
    assert_eq!(call().done(), Err(Failed));
    source.end(3, End::Well);
    assert_eq!(
        (call().done(), call().done(), source.begun()),
        (Ok(7), Ok(7), 3)
    );
}

#[test]
fn a_write_during_a_load_is_not_overwritten() {
    block_on(async {
        let cache = TestCache::new();
        let load = async || {
            cache.set("k", 9, secs(60)).await.unwrap();
            Ok::<_, Failed>(1)
        };
        assert_eq!(cache.get_or_load("k", secs(60), load).await, Ok(1));
        assert_eq!(cache.get::<i32>("k").await, Some(9));
        let load = async |_| {
            cache.delete("m").await.unwrap();
            Ok::<_, Failed>(HashMap::from([("m".to_owned(), 1)]))
        };
        assert_eq!(
            cache
                .get_or_load_many(&["m"], secs(60), load)
                .await
                .unwrap()["m"],
            1
        );
        assert_eq!(
            cache.get::<i32>("m").await,
            None,
            "deleted while it was loaded"
        );
    });
}

#[test]
fn get_or_load_many_asks_once_for_what_is_missing() {
    block_on(async {
        let cache = TestCache::new();
        cache.set("a", 1, secs(60)).await.unwrap();
        let load = async |mut keys: Vec<String>| {
            keys.sort();
            assert_eq!(keys, ["b", "c"]);
            Ok::<_, Failed>(keys.into_iter().map(|key| (key, 2)).collect())
        };
        let all = cache
            .get_or_load_many(&["a", "b", "c"], secs(60), load)
            .await
            .unwrap();
        assert_eq!((all["a"], all["b"], all["c"]), (1, 2, 2));
        let none = async |_| Err::<HashMap<String, i32>, _>(Failed);
        assert_eq!(
            cache
                .get_or_load_many(&["a", "b"], secs(60), none)
                .await
                .unwrap()
                .len(),
            2
        );
        assert_eq!(
            cache.get_or_load_many(&["z"], secs(60), none).await,
            Err(Failed)
        );
    });
}

type Many = Result<HashMap<String, u64>, Failed>;

/// Loads several keys; what is loaded for each is the source's value.
fn load_many(cache: &TestCache, source: &Arc<Source>, keys: &'static [&'static str]) -> Task<Many> {
    let (cache, source) = (cache.clone(), Arc::clone(source));
    let load = move |keys: Vec<String>| {
        let source = Arc::clone(&source);
        async move {
            let value = source.load().await?;
            Ok(keys.into_iter().map(|key| (key, value)).collect())
        }
    };
    Task::new(async move { cache.get_or_load_many(keys, secs(60), load).await })
}

fn values(keys: &[&str], value: u64) -> Many {
    Ok(keys.iter().map(|key| (key.to_string(), value)).collect())
}

#[test]
fn get_or_load_many_loads_a_key_once_however_many_ask() {
    let cache = TestCache::new();
    let source = Source::shut(7);
    let mut first = load_many(&cache, &source, &["a", "b"]).waiting();
    let mut others: Vec<_> = (0..10)
        .map(|_| load_many(&cache, &source, &["b", "a"]).waiting())
        .collect();
    let mut overlapping = load_many(&cache, &source, &["b", "c"]).waiting();
    assert_eq!(source.begun(), 2, "`a` and `b` together, and `c`");
    source.end(1, End::Well);
    assert_eq!(first.done(), values(&["a", "b"], 7));
    for other in &mut others {
        assert_eq!(other.done(), values(&["a", "b"], 7));
    }
    overlapping.pending();
    source.end(2, End::Well);
    assert_eq!(overlapping.done(), values(&["b", "c"], 7));
    assert_eq!((source.begun(), cache.len()), (2, 3));
}

#[test]
fn get_or_load_many_loads_what_another_gave_up_or_failed_to_load() {
    let cache = TestCache::new();
    let source = Source::shut(7);
    let given_up = load_many(&cache, &source, &["a"]).waiting();
    let mut failing = load_many(&cache, &source, &["b"]).waiting();
    let mut last = load_many(&cache, &source, &["a", "b", "c"]).waiting();
    assert_eq!(source.begun(), 3);
    drop(given_up);
    source.end(2, End::Badly);
    source.end(3, End::Well);
    assert_eq!(failing.done(), Err(Failed));
    last.pending();
    source.end_all(End::Well);
    assert_eq!(last.done(), values(&["a", "b", "c"], 7));
    assert_eq!((source.begun(), cache.len()), (4, 3), "both by one call");
}

#[test]
fn get_or_load_many_does_not_bring_back_what_was_invalidated() {
    let cache = TestCache::new();
    let source = Source::shut(1);
    let mut old = load_many(&cache, &source, &["user:1", "user:2", "k"]).waiting();
    source.set(2);
    cache.invalidation().prefix("user").run().wait().unwrap();
    let mut new = load_many(&cache, &source, &["user:1", "k"]).waiting();
    assert_eq!(
        source.begun(),
        2,
        "a load of its own for what was invalidated"
    );
    source.end(2, End::Well);
    source.end(1, End::Well);
    assert_eq!(old.done(), values(&["user:1", "user:2", "k"], 1));
    let mixed = HashMap::from([("user:1".to_owned(), 2), ("k".to_owned(), 1)]);
    assert_eq!(new.done(), Ok(mixed));
    let left = ["user:1", "user:2", "k"].map(|key| cache.blocking().get::<u64>(key));
    assert_eq!(left, [Some(2), None, Some(1)]);
}

#[test]
fn keys_are_levels_to_an_invalidation() {
    block_on(async {
        let cache = TestCache::new();
        for key in ["user:42", "user:42:posts", "user:420", "product_1"] {
            cache.set(key, 1, secs(60)).await.unwrap();
        }
        cache
            .invalidation()
            .prefix("user:42")
            .pattern("product_*")
            .run()
            .await
            .unwrap();
        assert_eq!(
            cache
                .get_many::<i32>(&["user:42", "user:42:posts", "product_1"])
                .await
                .len(),
            0
        );
        assert!(cache.contains("user:420").await);
        cache.clear().await.unwrap();
        assert!(!cache.contains("user:420").await);
    });
}

#[test]
fn invalidation_of_a_number_that_is_counted_starts_it_anew() {
    let cache = TestCache::new();
    let api = cache.blocking();
    api.increment("n", 5).unwrap();
    cache.clear().wait().unwrap();
    assert_eq!(
        (api.increment("n", 1).unwrap(), api.get::<i64>("n")),
        (1, Some(1))
    );
}

#[test]
fn a_number_of_any_integer_type_counts() {
    let cache = TestCache::new();
    let cache = cache.blocking();
    cache.set("i32", 0, secs(60)).unwrap();
    cache.set("u8", 250_u8, secs(60)).unwrap();
    assert_eq!(cache.increment("i32", 5).unwrap(), 5);
    assert_eq!(cache.get::<i32>("i32"), Some(5));
    assert_eq!(cache.increment("u8", 5).unwrap(), 255);
    let message = cache.increment("u8", 1).unwrap_err().to_string();
    assert!(
        message.contains("is 255: adding 1 would overflow"),
        "{message}"
    );
    assert_eq!(cache.get::<u8>("u8"), Some(255));
    let message = cache.decrement("u8", 300).unwrap_err().to_string();
    assert!(message.contains("overflow"), "{message}");
}

#[test]
fn a_count_does_not_bring_back_what_was_cleared() {
    let cache = Cache::builder().build().unwrap();
    let (begun, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let now = || cache.blocking().get::<i64>("n").unwrap_or(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(SeqCst) {
                begun.fetch_add(1, SeqCst);
                cache.blocking().increment("n", 1).unwrap();
            }
        });
        let mut over = Vec::new();
        for _ in 0..300 {
            while now() < 100 {
                std::hint::spin_loop();
            }
            let before = begun.load(SeqCst);
            drop(cache.clear());
            let after = now().cast_unsigned();
            // And the one that was under way.
            let possible = begun.load(SeqCst) - before + 1;
            over.extend((after > possible).then_some((after, possible)));
        }
        stop.store(true, SeqCst);
        assert_eq!(over, [], "a number outlived its invalidation");
    });
}

#[test]
fn on_the_null_store_every_add_is_the_first() {
    let cache = Cache::builder()
        .store(dewar::StoreKind::Null)
        .build()
        .unwrap();
    assert!(cache.blocking().add("once", 1, secs(60)).unwrap());
    assert!(cache.blocking().add("once", 1, secs(60)).unwrap());
}

#[test]
fn misses_by_hand_are_counted_by_their_reason() {
    let cache = TestCache::new();
    let by_hand = cache.blocking();
    by_hand.set("short", 1, secs(1)).unwrap();
    by_hand.set("gone", 1, secs(60)).unwrap();
    cache.advance(secs(1));
    assert_eq!(by_hand.get::<i32>("short"), None);
    drop(cache.clear());
    assert_eq!(
        (by_hand.get::<i32>("gone"), by_hand.get::<i32>("never")),
        (None, None)
    );
    let stats = cache.stats();
    assert_eq!((stats.expired, stats.invalidated, stats.absent), (1, 1, 1));
}

#[test]
fn writes_while_something_else_loads_leave_other_entries_alone() {
    let cache = TestCache::with(Cache::builder().remembered_invalidations(100)).unwrap();
    let source = Source::shut(0);
    let loading = {
        let (cache, source) = (Cache::clone(&cache), Arc::clone(&source));
        Task::new(async move {
            cache
                .get_or_load("slow", secs(60), async || source.load().await)
                .await
        })
    };
    let _loading = loading.waiting();
    cache.blocking().set("untouched", 1, secs(60)).unwrap();
    for n in 0..10_000 {
        cache
            .blocking()
            .set(&format!("{}", n % 1000), n, secs(60))
            .unwrap();
    }
    assert_eq!(cache.blocking().get("untouched"), Some(1));
}

#[test]
fn a_delete_is_not_lost_against_a_count() {
    let cache = Cache::builder().build().unwrap();
    let by_hand = cache.blocking();
    for _ in 0..4_000 {
        by_hand.set("k", 10_i64, secs(60)).unwrap();
        std::thread::scope(|scope| {
            let count = scope.spawn(|| by_hand.increment("k", 1).unwrap());
            let deleted = by_hand.delete("k").unwrap();
            let counted = count.join().unwrap();
            // One after the other: 11 and gone, or gone and counted from nothing.
            let left = by_hand.get::<i64>("k");
            assert!(deleted);
            assert_eq!(left, (counted == 1).then_some(1), "counted to {counted}");
        });
    }
}

#[test]
fn a_touch_during_a_count_is_kept() {
    static CACHE: OnceLock<Cache> = OnceLock::new();
    static TOUCHES: AtomicBool = AtomicBool::new(false);
    // A weigher runs when the number has been read and the sum is not stored yet.
    let weigher = |_: &i64| {
        if TOUCHES.swap(false, SeqCst) {
            let touched = CACHE.get().unwrap().blocking().touch("n", secs(90));
            assert!(touched.unwrap());
        }
        8
    };
    let builder = Cache::builder().max_bytes(1 << 20).weigher(weigher);
    let cache = TestCache::with(builder).unwrap();
    let api = CACHE.get_or_init(|| (*cache).clone()).blocking();
    api.set("n", 1_i64, secs(60)).unwrap();
    TOUCHES.store(true, SeqCst);
    assert_eq!(api.increment("n", 1).unwrap(), 2);
    assert_eq!(api.ttl("n"), Some(secs(90)));
}

#[test]
fn a_touch_is_not_lost_against_a_count() {
    let cache = TestCache::new();
    let api = cache.blocking();
    api.set("n", 0_i64, secs(60)).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(SeqCst) {
                cache.blocking().increment("n", 1).unwrap();
            }
        });
        for n in 1..20_000 {
            assert!(api.touch("n", secs(60 + n)).unwrap());
            if api.ttl("n") != Some(secs(60 + n)) {
                done.store(true, SeqCst);
                panic!("touch {n} was lost: {:?}", api.ttl("n"));
            }
        }
        done.store(true, SeqCst);
    });
}
