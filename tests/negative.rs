//! `None` and `Err` are returned and not stored, unless asked for.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use common::secs;
use dewar::testing::isolated;
use dewar::{cached, entry};

static RUNS: AtomicU64 = AtomicU64::new(0);

#[cached]
fn plain(some: bool) -> Option<u64> {
    some.then_some(1)
}

#[cached(cache_none)]
fn none(some: bool) -> Option<u64> {
    some.then_some(1)
}

#[cached(timeout = 100, cache_none = 10)]
fn none_for_ten(some: bool) -> Option<u64> {
    some.then_some(1)
}

#[cached(timeout = 100, cache_err = "5s")]
fn err_for_five(ok: bool) -> Result<u64, String> {
    ok.then_some(1).ok_or("no".into())
}

#[cached(cache_err)]
async fn err(ok: bool) -> Result<Option<u64>, String> {
    RUNS.fetch_add(1, SeqCst);
    ok.then_some(None).ok_or("no".into())
}

#[cached(cache_none)]
fn nothing_in_a_result(some: bool) -> Result<Option<u64>, std::io::Error> {
    Ok(some.then_some(1))
}

/// How many loads two calls make.
fn loads(mut call: impl FnMut()) -> u64 {
    isolated(|cache| {
        call();
        call();
        cache.stats().loads
    })
}

#[test]
fn nothing_and_errors_are_not_stored() {
    assert_eq!(loads(|| assert_eq!(plain(false), None)), 2);
    assert_eq!(loads(|| assert_eq!(plain(true), Some(1))), 1);
    isolated(|cache| {
        assert_eq!(plain(false), None);
        let stats = cache.stats();
        assert_eq!(
            (stats.stores, stats.rejections, stats.load_errors),
            (0, 1, 0)
        );
    });
}

#[test]
fn cache_none_stores_nothing_and_that_is_a_hit() {
    assert_eq!(loads(|| assert_eq!(none(false), None)), 1);
    assert_eq!(
        loads(|| assert!(nothing_in_a_result(false).unwrap().is_none())),
        1
    );
    isolated(|_| {
        none(false);
        assert_eq!(entry!(none(false)).get(), Some(None));
        assert_eq!(entry!(none(true)).get(), None);
    });
}

#[test]
fn cache_none_and_cache_err_take_a_time_of_their_own() {
    isolated(|cache| {
        let all = || {
            none_for_ten(false);
            none_for_ten(true);
            drop((err_for_five(false), err_for_five(true)));
        };
        all();
        cache.advance(secs(4));
        all();
        assert_eq!(cache.stats().loads, 4);
        cache.advance(secs(1));
        all();
        assert_eq!(
            cache.stats().loads,
            5,
            "the error is asked for again after 5 s"
        );
        cache.advance(secs(5));
        all();
        assert_eq!(cache.stats().loads, 7, "and nothing after 10 s");
        cache.advance(secs(89));
        assert_eq!((none_for_ten(true), err_for_five(true)), (Some(1), Ok(1)));
        assert_eq!(cache.stats().loads, 7);
    });
}

#[test]
fn a_stored_error_is_given_to_everybody() {
    isolated(|_| {
        futures::executor::block_on(async {
            assert_eq!(err(false).await, Err("no".into()));
            assert_eq!(err(false).await, Err("no".into()));
            assert_eq!(RUNS.swap(0, SeqCst), 1);
            assert_eq!((err(true).await, err(true).await), (Ok(None), Ok(None)));
            assert_eq!(RUNS.load(SeqCst), 2, "`None` is not stored all the same");
        });
    });
}

static GONE: AtomicBool = AtomicBool::new(false);

#[cached(timeout = 60, refresh_ahead = 0.5)]
fn may_go(id: u64) -> Option<u64> {
    (!GONE.load(SeqCst)).then_some(id)
}

#[test]
fn what_a_refresh_no_longer_finds_is_not_served_any_more() {
    isolated(|_| {
        assert_eq!(may_go(1), Some(1));
        GONE.store(true, SeqCst);
        assert_eq!(may_go(1), Some(1), "cached");
        assert_eq!(entry!(may_go(1)).refresh(), None);
        assert_eq!(may_go(1), None);
        GONE.store(false, SeqCst);
    });
}

static DOWN: AtomicBool = AtomicBool::new(false);

#[cached(timeout = 60)]
fn may_fail(id: u64) -> Result<u64, String> {
    match DOWN.load(SeqCst) {
        true => Err("down".into()),
        false => Ok(id),
    }
}

#[test]
fn what_a_refresh_failed_to_find_is_served_as_before() {
    isolated(|_| {
        assert_eq!(may_fail(1), Ok(1));
        DOWN.store(true, SeqCst);
        assert!(entry!(may_fail(1)).refresh().is_err());
        assert_eq!(may_fail(1), Ok(1));
    });
}

type Transposed = Option<Result<u64, String>>;

fn answer(which: u64) -> Transposed {
    match which {
        0 => None,
        1 => Some(Err("no".into())),
        other => Some(Ok(other)),
    }
}

#[cached]
fn transposed(which: u64) -> Transposed {
    answer(which)
}

#[cached(cache_none, cache_err = "5s", cache_if = |value| *value < 10)]
fn transposed_whole(which: u64) -> Transposed {
    answer(which)
}

/// An error that cannot be cloned.
#[cached]
fn transposed_error(ok: bool) -> Option<Result<u64, std::io::Error>> {
    Some(ok.then_some(1).ok_or_else(|| std::io::Error::other("no")))
}

#[test]
fn an_error_in_an_option_is_an_error() {
    isolated(|cache| {
        let stored = |which| {
            let before = cache.stats().stores;
            let first = transposed(which);
            assert_eq!(transposed(which), first);
            cache.stats().stores - before
        };
        assert_eq!([stored(0), stored(1), stored(2)], [0, 0, 1]);
        assert_eq!(cache.stats().load_errors, 2);
        assert!(transposed_error(true).unwrap().is_ok() && cache.len() == 2);
        assert!(transposed_error(false).unwrap().is_err() && cache.len() == 2);
    });
    isolated(|cache| {
        for which in [0, 1, 2, 20] {
            assert_eq!(transposed_whole(which), transposed_whole(which));
        }
        let stats = cache.stats();
        assert_eq!((stats.stores, stats.hits, stats.rejections), (3, 3, 2));
        cache.clock().advance(secs(5));
        assert_eq!(transposed_whole(1), Some(Err("no".into())));
        assert_eq!(cache.stats().loads, stats.loads + 1);
    });
}
