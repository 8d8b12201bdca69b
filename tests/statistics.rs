//! What is counted, per function and per cache.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{End, Failed, Source, Task, secs};
use dewar::testing::{TestCache, isolated};
use dewar::{Cache, cached, invalidate};

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
}
