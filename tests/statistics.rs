//! What is counted, per function and per cache.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{End, Failed, Source, Task, raised, secs};
use dewar::testing::{TestCache, isolated};
use dewar::{Cache, cached, invalidate, stats};

#[cached(timeout = 60, skip(source, fresh, bypass), refresh_if = fresh, unless = bypass)]
async fn counted(source: Arc<Source>, id: u64, fresh: bool, bypass: bool) -> Result<u64, Failed> {
    let _ = (id, fresh, bypass);
    source.load().await
}

#[cached]
fn other(id: u64) -> u64 {
    id
}

fn call(source: &Arc<Source>, id: u64) -> Result<u64, Failed> {
    Task::new(counted(Arc::clone(source), id, false, false)).done()
}

#[test]
fn misses_are_counted_by_their_reason() {
    isolated(|cache| {
        let source = Source::open(1);
        call(&source, 1).unwrap();
        cache.advance(secs(60));
        call(&source, 1).unwrap();
        invalidate!(counted(_, 1, _, _)).wait().unwrap();
        call(&source, 1).unwrap();
        Task::new(counted(Arc::clone(&source), 1, true, false))
            .done()
            .unwrap();
        Task::new(counted(Arc::clone(&source), 1, false, true))
            .done()
            .unwrap();
        call(&source, 1).unwrap();
        let stats = cache.stats();
        let reasons = (
            stats.absent,
            stats.expired,
            stats.invalidated,
            stats.refreshed,
            stats.bypassed,
        );
        assert_eq!(reasons, (1, 1, 1, 1, 1));
        assert_eq!((stats.hits, stats.misses(), stats.lookups()), (1, 5, 6));
        assert_eq!((stats.loads, stats.stores, stats.invalidations), (4, 4, 1));
    });
}

#[test]
fn each_function_has_its_own() {
    isolated(|cache| {
        let source = Source::open(1);
        call(&source, 1).unwrap();
        call(&source, 1).unwrap();
        (0..5).for_each(|id| {
            other(id);
        });
        let all = cache.function_stats();
        let figures: Vec<_> = all
            .iter()
            .map(|(name, s)| (*name, s.hits, s.loads))
            .collect();
        assert_eq!(
            figures,
            [("statistics::counted", 1, 1), ("statistics::other", 0, 5)]
        );
        assert_eq!(cache.stats().loads, 6);
    });
}

#[test]
fn failures_waits_and_the_time_of_loads_are_counted() {
    isolated(|cache| {
        let source = Source::shut(1);
        let task = || Task::new(counted(Arc::clone(&source), 1, false, false)).waiting();
        let mut tasks = [task(), task(), task()];
        cache.advance(secs(2));
        source.end(1, End::Badly);
        assert!(tasks.iter_mut().all(|task| task.done().is_err()));
        let mut last = task();
        cache.advance(secs(4));
        source.end(2, End::Well);
        last.done().unwrap();
        let stats = cache.stats();
        assert_eq!((stats.loads, stats.load_errors, stats.coalesced), (2, 1, 2));
        assert_eq!((stats.stores, stats.rejections), (1, 1));
        assert_eq!(stats.mean_load(), Duration::from_secs(3));
    });
}

#[test]
fn zero_traffic_shows_zeros_and_a_reset_goes_back_to_them() {
    let cache = TestCache::new();
    assert_eq!(cache.stats(), dewar::Stats::default());
    assert_eq!(cache.stats().hit_ratio(), 0.0);
    assert!(cache.function_stats().is_empty());
    cache.run(|| (other(1), other(1), invalidate!(all).wait().unwrap()));
    assert_eq!(cache.stats().hit_ratio(), 0.5);
    cache.reset_stats();
    assert_eq!(cache.stats().entries, 1, "a reset does not empty the cache");
    cache.sweep();
    assert_eq!(cache.stats(), dewar::Stats::default());
    assert_eq!(
        cache.function_stats(),
        [("statistics::other", dewar::Stats::default())]
    );
    assert!(!cache.stats().to_string().contains("NaN"));
}

#[test]
fn counts_are_exact_between_threads() {
    let cache = Cache::builder().build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                cache.scope_blocking(|| {
                    (0..10_000).for_each(|n| {
                        other(n % 10);
                    })
                })
            });
        }
    });
    let stats = cache.stats();
    assert_eq!((stats.lookups(), stats.loads), (40_000, 10));
    assert_eq!(stats.hits + stats.absent, 40_000);
}

#[test]
fn operations_by_hand_are_counted_for_the_cache() {
    let cache = TestCache::new();
    let api = cache.blocking();
    assert_eq!(api.get::<i32>("k"), None);
    api.set("k", 1, secs(9)).unwrap();
    assert_eq!(api.get::<i32>("k"), Some(1));
    let stats = cache.stats();
    assert_eq!((stats.absent, stats.hits, stats.stores), (1, 1, 1));
    assert_eq!(api.get::<String>("k"), None, "of another type");
    let stats = cache.stats();
    assert_eq!(
        (stats.absent, stats.undecodable, stats.lookups()),
        (2, 1, 3)
    );
}

/// Keeps a body on its caller's thread.
type Here = std::marker::PhantomData<*const ()>;
const HERE: Here = std::marker::PhantomData;

#[cached(timeout = 60, stale_while_revalidate = 60, stale_if_error = 600, skip(end, here), cache_if = |n| *n != 13)]
fn ends(id: u64, end: Result<u64, Failed>, here: Here) -> Result<u64, Failed> {
    let _ = (id, here);
    end
}

#[test]
fn every_outcome_raises_its_counters_and_no_others() {
    isolated(|cache| {
        let check = |what: &str, run: &dyn Fn(), expected: &[(&str, u64)]| {
            let raised = raised(cache, run);
            let raised: Vec<_> = raised.iter().map(|(name, n)| (name.as_str(), *n)).collect();
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            assert_eq!(raised, expected, "{what}");
        };
        let call = |id: u64, end| {
            move || {
                let _ = ends(id, end, HERE);
            }
        };
        let good = Ok(1);
        let bad = Err(Failed);
        check(
            "absent",
            &call(1, good),
            &[("absent", 1), ("loads", 1), ("stores", 1)],
        );
        check("hit", &call(1, good), &[("hits", 1)]);
        check(
            "an error",
            &call(2, bad),
            &[
                ("absent", 1),
                ("loads", 1),
                ("load_errors", 1),
                ("rejections", 1),
            ],
        );
        check(
            "refused by `cache_if`",
            &call(2, Ok(13)),
            &[("absent", 1), ("loads", 1), ("rejections", 1)],
        );
        cache.advance(secs(61));
        // Without a background the caller refreshes.
        check(
            "stale",
            &call(1, good),
            &[("stale", 1), ("loads", 1), ("stores", 1)],
        );
        cache.advance(secs(200));
        check(
            "stale if error",
            &call(1, bad),
            &[
                ("expired", 1),
                ("loads", 1),
                ("load_errors", 1),
                ("rejections", 1),
                ("fallbacks", 1),
            ],
        );
        check(
            "invalidate",
            &|| invalidate!(ends(1, _, _)).wait().unwrap(),
            &[("invalidations", 1)],
        );
        check(
            "invalidated",
            &call(1, good),
            &[("invalidated", 1), ("loads", 1), ("stores", 1)],
        );
        check(
            "refresh",
            &|| assert_eq!(dewar::entry!(ends(1, good, HERE)).refresh(), good),
            &[("refreshed", 1), ("loads", 1), ("stores", 1)],
        );
    });
    let null = Cache::builder()
        .store(dewar::StoreKind::Null)
        .build()
        .unwrap();
    let passed = raised(&null, || {
        null.scope_blocking(|| other(1));
    });
    assert_eq!(passed, [("bypassed".to_owned(), 1)]);
}

#[test]
fn an_entry_that_leaves_to_make_room_is_an_eviction_of_its_function() {
    let cache = TestCache::with(Cache::builder().max_entries(10)).unwrap();
    cache.run(|| {
        for id in 0..100 {
            other(id);
        }
    });
    cache.sweep();
    let (_, stats) = cache.function_stats()[0];
    assert_eq!(
        (stats.stores, stats.entries, stats.evictions),
        (100, 10, 90)
    );
}

#[test]
fn entries_and_bytes_follow_what_is_in_memory() {
    isolated(|cache| {
        let api = cache.blocking();
        other(1);
        other(1);
        api.set("text", "x".repeat(1000), secs(9)).unwrap();
        let of = |cache: &Cache| cache.function_stats()[0].1;
        assert_eq!((of(cache).entries, cache.stats().entries), (1, 2));
        assert!(of(cache).bytes > 0 && of(cache).bytes < 1000);
        assert!(cache.stats().bytes - of(cache).bytes > 1000);
        api.set("text", "x".repeat(5000), secs(9)).unwrap();
        assert_eq!(cache.stats().entries, 2, "replaced");
        assert!(cache.stats().bytes > 5000 && cache.stats().bytes < 6500);
        invalidate!(other).wait().unwrap();
        other(1);
        api.delete("text").unwrap();
        assert_eq!(cache.stats().entries, 1);
        cache.advance(secs(10_000));
        cache.sweep();
        assert_eq!((cache.stats().entries, cache.stats().bytes), (0, 0));
    });
}

#[cached(timeout = 60, hard_timeout = "10s")]
async fn limited(n: u64) -> Result<u64, dewar::TimedOut> {
    std::future::pending::<()>().await;
    Ok(n)
}

#[test]
fn every_load_has_a_time_whatever_its_end() {
    isolated(|cache| {
        let mut task = Task::new(limited(1)).waiting();
        cache.advance(secs(10));
        assert!(task.done().is_err());
        let _ = std::panic::catch_unwind(|| panics(1));
        let stats = cache.stats();
        assert_eq!((stats.loads, stats.load_errors), (2, 2));
        assert_eq!(stats.load_times.count(), 2);
        assert_eq!(stats.load_times.sum(), secs(10));
    });
}

#[cached]
fn panics(n: u64) -> u64 {
    panic!("{n}")
}

/// What callers at once do, and how it adds up.
#[test]
fn the_counters_add_up_under_concurrent_load() {
    let cache = Cache::builder().max_entries(50).build().unwrap();
    let calls = 4 * 5_000;
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let cache = &cache;
            scope.spawn(move || {
                cache.scope_blocking(|| {
                    for n in 0..5_000u64 {
                        let id = (n * 7 + thread * 13) % 80;
                        let _ = mixed(id);
                        if n % 50 == 0 {
                            drop(invalidate!(mixed(id)));
                        }
                    }
                })
            });
        }
    });
    cache.sweep();
    let stats = cache.stats();
    assert_eq!(stats.lookups(), calls, "{stats}");
    assert_eq!(stats.hits + stats.stale + stats.misses(), stats.lookups());
    assert_eq!(
        stats.misses(),
        stats.absent + stats.expired + stats.invalidated,
        "{stats}"
    );
    assert_eq!(stats.loads + stats.coalesced, stats.misses(), "{stats}");
    assert_eq!(stats.loads, stats.load_times.count());
    assert_eq!(stats.loads, stats.stores + stats.rejections, "{stats}");
    assert!(stats.load_errors <= stats.rejections, "{stats}");
    assert_eq!(stats.entries, cache.len() as u64);
    assert!(stats.entries <= 50 && stats.evictions > 0, "{stats}");
}

/// Errors for some, `None` for others.
#[cached]
fn mixed(id: u64) -> Result<Option<u64>, Failed> {
    std::thread::yield_now();
    match id % 10 {
        9 => Err(Failed),
        8 => Ok(None),
        _ => Ok(Some(id)),
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Repo;

impl Repo {
    #[cached]
    fn row(&self, id: u64) -> u64 {
        id
    }
}

#[cached(batch = ids)]
fn rows(ids: &[u64]) -> std::collections::HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

/// Two functions of one name are two, and `stats!` knows which.
mod twins {
    pub(super) fn first(id: u64) -> (u64, dewar::Stats) {
        #[dewar::cached]
        fn twin(id: u64) -> u64 {
            id
        }
        (twin(id), dewar::stats!(twin).get())
    }

    pub(super) fn second(id: u64) -> (u64, dewar::Stats) {
        #[dewar::cached]
        fn twin(id: u64) -> u64 {
            id
        }
        (twin(id), dewar::stats!(twin).get())
    }
}

#[test]
fn of_one_function_there_is_a_handle_that_counts_and_resets_no_other() {
    isolated(|cache| {
        let squares = stats!(other);
        assert_eq!(squares.get(), dewar::Stats::default(), "not called yet");
        assert_eq!(squares.name(), "statistics::other");
        let source = Source::open(1);
        other(1);
        other(1);
        Repo.row(1);
        rows(&[1, 2, 3]);
        call(&source, 1).unwrap();
        assert_eq!((squares.get().hits, squares.get().loads), (1, 1));
        assert_eq!(stats!(Repo::row).get().loads, 1);
        assert_eq!(stats!(rows).get().loads, 3);
        assert_eq!(stats!(counted).get().loads, 1);

        squares.reset();
        let after = squares.get();
        assert_eq!((after.lookups(), after.loads, after.entries), (0, 0, 1));
        assert_eq!(after.load_times.count(), 0);
        assert_eq!(stats!(Repo::row).get().loads, 1);
        assert_eq!(stats!(rows).get().loads, 3);
        let all = cache.stats();
        assert_eq!((all.loads, all.hits), (5, 0), "{all}");
        other(1);
        assert_eq!((squares.get().hits, cache.stats().hits), (1, 1));
    });
}

#[test]
fn a_function_is_found_by_the_name_that_is_listed() {
    isolated(|cache| {
        assert!(cache.function("statistics::other").is_none(), "not called");
        other(1);
        other(1);
        assert!(cache.function("other").is_none() && cache.function("").is_none());
        for (name, stats) in cache.function_stats() {
            assert_eq!(cache.function(name).unwrap().get(), stats);
        }
        let (first, second) = (twins::first(1).1, twins::second(1).1);
        assert_eq!((first.loads, second.loads), (1, 1));
        let names: Vec<_> = cache.function_stats().iter().map(|it| it.0).collect();
        let twins = names.iter().filter(|name| name.ends_with("twin"));
        for name in twins {
            cache.function(name).unwrap().reset();
        }
        assert_eq!(twins::first(1).1.lookups(), 1);
        assert_eq!(cache.function("statistics::other").unwrap().get().hits, 1);
    });
}

#[test]
fn the_handle_is_of_the_cache_that_the_function_uses_here() {
    #[cached(cache = "nobody's")]
    fn lost(n: u64) -> u64 {
        n
    }
    let (one, two) = (TestCache::new(), TestCache::new());
    one.run(|| (other(1), other(2)));
    two.run(|| other(1));
    let loads = |cache: &TestCache| cache.run(|| stats!(other).get().loads);
    assert_eq!((loads(&one), loads(&two)), (2, 1));
    one.run(|| stats!(other).reset());
    assert_eq!((loads(&one), loads(&two)), (0, 1));
    // It runs without a cache, and there is nothing to count.
    assert_eq!((lost(3), stats!(lost).get()), (3, dewar::Stats::default()));
    stats!(lost).reset();
}
