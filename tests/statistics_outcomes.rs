//! The rarer outcomes: each raises its counters, and no others. The common ones are in `statistics.rs`.

mod common;

use std::sync::Arc;

use common::{End, Failed, Source, Task, panics, raised, secs};
use dewar::testing::{TestCache, isolated};
use dewar::{Cache, EventKind, EvictionReason, cached, invalidate};

/// What a step is counted as, and nothing else.
fn check(cache: &Cache, what: &str, expected: &[(&str, u64)], step: impl FnOnce()) {
    let raised = raised(cache, step);
    let raised: Vec<_> = raised.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(raised, expected, "{what}");
}

#[cached(timeout = 60, skip(source))]
async fn waited(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
    let _ = id;
    source.load().await
}

#[test]
fn callers_that_wait_are_misses_and_coalesced_and_load_nothing() {
    isolated(|cache| {
        let source = Source::shut(1);
        let call = || Task::new(waited(Arc::clone(&source), 1)).waiting();
        let mut leader = None;
        check(cache, "a load that is not over", &[("absent", 1)], || {
            leader = Some(call());
        });
        let mut waiting = Vec::new();
        let waits = [("absent", 2), ("coalesced", 2)];
        check(cache, "two that wait", &waits, || {
            waiting = vec![call(), call()];
        });
        check(cache, "the end", &[("loads", 1), ("stores", 1)], || {
            source.end_all(End::Well);
            leader.iter_mut().chain(&mut waiting).for_each(|task| {
                task.done().unwrap();
            });
        });
    });
}

#[test]
fn a_load_that_is_overtaken_by_an_invalidation_is_not_stored() {
    isolated(|cache| {
        let source = Source::shut(1);
        let mut task = Task::new(waited(Arc::clone(&source), 1)).waiting();
        check(cache, "the invalidation", &[("invalidations", 1)], || {
            invalidate!(waited).wait().unwrap();
        });
        let lost = [("loads", 1), ("rejections", 1)];
        check(cache, "the end", &lost, || {
            source.end_all(End::Well);
            task.done().unwrap();
        });
    });
}

#[cached(timeout = 60, skip(bypass, fresh, old), unless = bypass, refresh_if = fresh, stale_if = |_| old)]
fn asked(id: u64, bypass: bool, fresh: bool, old: bool) -> u64 {
    let _ = (bypass, fresh, old);
    assert_ne!(id, 13, "a body that panics");
    id
}

#[cached(timeout = 60, hard_timeout = "5s")]
async fn slow(id: u64) -> Result<u64, dewar::TimedOut> {
    std::future::pending::<()>().await;
    Ok(id)
}

#[test]
fn what_a_call_asks_for_is_its_reason_and_no_other() {
    isolated(|cache| {
        let load = [("absent", 1), ("loads", 1), ("stores", 1)];
        check(cache, "unless", &[("bypassed", 1)], || {
            asked(1, true, false, false);
        });
        check(cache, "and it was not stored", &load, || {
            asked(1, false, false, false);
        });
        let refreshed = [("refreshed", 1), ("loads", 1), ("stores", 1)];
        check(cache, "refresh_if", &refreshed, || {
            asked(1, false, true, false);
        });
        let stale = [("expired", 1), ("loads", 1), ("stores", 1)];
        check(cache, "stale_if", &stale, || {
            asked(1, false, false, true);
        });
        let entry = || dewar::entry!(asked(1, false, false, false));
        check(cache, "what looks only", &[], || {
            let (value, there) = (entry().get(), entry().contains());
            assert_eq!(
                (value, there, entry().ttl()),
                (Some(1), true, Some(secs(60)))
            );
            entry().uncached();
        });
        check(cache, "put", &[("stores", 1)], || entry().put(7).unwrap());
        let failed = [("absent", 1), ("loads", 1), ("load_errors", 1)];
        check(cache, "a panic", &failed, || {
            assert!(panics(|| asked(13, false, false, false)));
        });
        check(cache, "the hard timeout", &failed, || {
            let mut task = Task::new(slow(1)).waiting();
            cache.advance(secs(5));
            assert!(task.done().is_err());
        });
    });
}

#[cached(timeout = 60)]
fn entry(id: u64) -> u64 {
    id
}

/// The reasons for which entries have left.
fn left(cache: &Cache) -> Vec<EvictionReason> {
    let all = cache.operations();
    let reasons = all.iter().filter_map(|it| match it.event.kind {
        EventKind::Evicted(reason) => Some(reason),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn only_what_leaves_to_make_room_is_an_eviction_and_each_has_its_reason() {
    let cache = TestCache::with(Cache::builder().max_entries(2)).unwrap();
    cache.record_operations();
    let load = |n| [("absent", n), ("loads", n), ("stores", n)];
    check(&cache, "two", &load(2), || {
        cache.run(|| (entry(1), entry(2)));
        cache.sweep();
    });
    let [a, b, c] = load(3);
    check(&cache, "five", &[a, b, c, ("evictions", 3)], || {
        cache.run(|| (entry(3), entry(4), entry(5)));
        cache.sweep();
    });
    assert_eq!(left(&cache), [EvictionReason::Size; 3]);
    cache.record_operations();
    let all = || invalidate!(all).wait().unwrap();
    check(&cache, "invalidate", &[("invalidations", 1)], || {
        cache.run(all)
    });
    check(&cache, "what was invalidated", &[], || {
        assert_eq!(cache.sweep(), 2);
    });
    assert_eq!(left(&cache)[..2], [EvictionReason::Invalidated; 2]);
    check(&cache, "one more", &load(1), || {
        cache.run(|| entry(6));
    });
    cache.advance(secs(61));
    check(&cache, "what has expired", &[], || {
        assert_eq!(cache.sweep(), 1);
    });
    assert_eq!(left(&cache)[0], EvictionReason::Expired);
}

#[test]
fn operations_by_hand_raise_what_they_are() {
    let cache = TestCache::new();
    let api = cache.blocking();
    check(&cache, "set", &[("stores", 1)], || {
        api.set("k", 1, secs(9)).unwrap();
    });
    check(&cache, "get", &[("hits", 1)], || {
        assert_eq!(api.get::<i32>("k"), Some(1));
    });
    check(&cache, "looking only", &[], || {
        assert!(api.contains("k") && api.ttl("k").is_some());
    });
    let other = [("absent", 1), ("undecodable", 1)];
    check(&cache, "of another type", &other, || {
        assert_eq!(api.get::<String>("k"), None);
    });
    check(&cache, "nothing there", &[("absent", 1)], || {
        assert_eq!(api.get::<i32>("none"), None);
    });
}

#[cfg(feature = "stores")]
mod stores {
    use dewar::testing::FaultyStore;

    use super::*;

    fn process(store: &FaultyStore) -> TestCache {
        TestCache::with(Cache::builder().shared(store.clone())).unwrap()
    }

    #[test]
    fn what_the_shared_store_answers_is_fetched_and_no_load() {
        let store = FaultyStore::new();
        let (one, other) = (process(&store), process(&store));
        one.run(|| entry(1));
        let fetched = [("absent", 1), ("fetched", 1), ("stores", 1)];
        check(&other, "fetched", &fetched, || {
            other.run(|| entry(1));
        });
        check(&other, "from memory then", &[("hits", 1)], || {
            other.run(|| entry(1));
        });
    }

    #[test]
    fn what_cannot_be_read_is_absent_and_undecodable() {
        let store = FaultyStore::new();
        let (one, other) = (process(&store), process(&store));
        one.run(|| entry(1));
        store.damage("entry", |bytes| {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
        });
        let damaged = [
            ("absent", 1),
            ("undecodable", 1),
            ("loads", 1),
            ("stores", 1),
        ];
        check(&other, "damaged", &damaged, || {
            other.run(|| entry(1));
        });
        let of_entry = other.run(|| dewar::stats!(entry).get());
        assert_eq!(of_entry.undecodable, 1, "the function's own");
    }

    #[test]
    fn what_has_expired_here_and_cannot_be_read_there_is_expired_and_undecodable() {
        let store = FaultyStore::new();
        let cache = process(&store);
        cache.run(|| entry(1));
        cache.advance(secs(61));
        store.damage("entry", |bytes| bytes.truncate(bytes.len() / 2));
        let damaged = [
            ("expired", 1),
            ("undecodable", 1),
            ("loads", 1),
            ("stores", 1),
        ];
        check(&cache, "damaged", &damaged, || {
            cache.run(|| entry(1));
        });
    }

    #[test]
    fn each_operation_that_fails_is_one_store_error_and_nothing_else() {
        let store = FaultyStore::new();
        let cache = process(&store);
        store.refuse(true);
        let (before, mut asked) = (store.operations(), 0);
        let mut failed = 0;
        let counted = raised(&cache, || {
            cache.run(|| entry(1));
            asked = (store.operations() - before) as u64;
        });
        for (name, n) in &counted {
            match name.as_str() {
                "absent" | "loads" | "stores" => assert_eq!(*n, 1, "{counted:?}"),
                "store_errors" => failed = *n,
                _ => panic!("{counted:?}"),
            }
        }
        assert_eq!((counted.len(), failed > 0, failed), (4, true, asked));
        assert_eq!(cache.stats().store_times.count(), asked);
    }

    #[test]
    fn what_others_invalidate_is_a_message_and_no_invalidation_of_ones_own() {
        let store = FaultyStore::pushing();
        let (one, other) = (process(&store), process(&store));
        let up = |cache: &Cache| cache.store_status().unwrap().push == Some(true);
        until(|| up(&one) && up(&other));
        check(&other, "one message", &[("messages", 1)], || {
            one.run(|| invalidate!(entry).wait().unwrap());
            until(|| other.stats().messages == 1);
        });
        assert_eq!((one.stats().messages, one.stats().invalidations), (0, 1));
    }

    fn until(mut holds: impl FnMut() -> bool) {
        let begun = std::time::Instant::now();
        while !holds() {
            assert!(begun.elapsed() < secs(10), "it never came to pass");
            std::thread::yield_now();
        }
    }
}
