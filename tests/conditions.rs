//! `unless`, `refresh_if`, `stale_if`, `cache_if`.

use std::cell::Cell;

use dewar::cached;
use dewar::testing::isolated;

thread_local! {
    static RUNS: Cell<u64> = const { Cell::new(0) };
}

fn next() -> u64 {
    RUNS.set(RUNS.get() + 1);
    RUNS.get()
}

#[cached(unless = bypass, skip(bypass))]
fn unless(bypass: bool) -> u64 {
    let _ = bypass;
    next()
}

#[cached(refresh_if = fresh, skip(fresh))]
fn refresh_if(fresh: bool) -> u64 {
    let _ = fresh;
    next()
}

#[cached(stale_if = |value| *value < at_least, skip(at_least))]
fn stale_if(at_least: u64) -> u64 {
    let _ = at_least;
    next()
}

#[cached(cache_if = |value| value % 2 == 0)]
fn cache_if() -> u64 {
    next()
}

#[cached(cache_if = move |value| *value > limit, skip(limit))]
async fn cache_if_async(limit: u64) -> Result<Option<u64>, String> {
    let _ = limit;
    Ok(Some(next()))
}

#[test]
fn unless_neither_reads_nor_stores() {
    isolated(|cache| {
        assert_eq!(
            (unless(true), unless(false), unless(true), unless(false)),
            (1, 2, 3, 2)
        );
        let stats = cache.stats();
        assert_eq!(
            (stats.bypassed, stats.hits, stats.absent, stats.stores),
            (2, 1, 1, 1)
        );
    });
}

#[test]
fn refresh_if_computes_and_stores_under_the_normal_key() {
    isolated(|cache| {
        assert_eq!(
            (refresh_if(false), refresh_if(true), refresh_if(false)),
            (1, 2, 2)
        );
        assert_eq!((cache.stats().refreshed, cache.stats().hits), (1, 1));
    });
}

#[test]
fn stale_if_treats_a_hit_as_a_miss() {
    isolated(|cache| {
        assert_eq!(
            (stale_if(0), stale_if(1), stale_if(2), stale_if(2)),
            (1, 1, 2, 2)
        );
        assert_eq!((cache.stats().expired, cache.stats().hits), (1, 2));
    });
}

#[test]
fn cache_if_returns_without_storing() {
    isolated(|cache| {
        assert_eq!((cache_if(), cache_if(), cache_if()), (1, 2, 2));
        assert_eq!((cache.stats().rejections, cache.stats().stores), (1, 1));
    });
}

#[test]
fn closures_see_the_value_inside_ok_and_some_and_the_arguments() {
    isolated(|_| {
        futures::executor::block_on(async {
            assert_eq!(cache_if_async(1).await, Ok(Some(1)));
            assert_eq!(cache_if_async(1).await, Ok(Some(2)));
            assert_eq!(cache_if_async(9).await, Ok(Some(2)));
        });
    });
}
