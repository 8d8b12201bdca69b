//! Values past their timeout: served while one load refreshes them, or when the load fails.

mod common;

use std::sync::Arc;

use common::{End, Failed, Source, Task, panics, secs, stepped};
use dewar::{BoxFuture, Cache, Runtime, cached, entry, invalidate, testing::TestCache};

#[cached(timeout = 60, stale_while_revalidate = 30, skip(source))]
async fn revalidated(source: Arc<Source>) -> Result<u64, Failed> {
    source.load().await
}

#[cached(timeout = 60, stale_if_error("1h", retry = "5s"), skip(source))]
async fn on_error(source: Arc<Source>) -> Result<u64, Failed> {
    source.load().await
}

#[cached(timeout = 60, stale_if_error = "1h", skip(source))]
fn on_error_blocking(source: &Source) -> Result<u64, Failed> {
    source.load_blocking()
}

#[derive(Clone, Debug, PartialEq)]
enum Error {
    Down,
    Gone,
}

#[cached(timeout = 60, stale_if_error("1h", only = |error| *error == Error::Down), skip(source))]
async fn only_down(source: Arc<Source>, gone: bool) -> Result<u64, Error> {
    let error = if gone { Error::Gone } else { Error::Down };
    source.load().await.map_err(|_| error)
}

#[cached(
    timeout = 60,
    stale_if_error("1h", retry = "5s"),
    jitter = "50%",
    refresh_ahead = 0.5,
    skip(source)
)]
async fn everything_on(source: Arc<Source>) -> Result<u64, Failed> {
    source.load().await
}

fn filled<R>(call: impl Fn(Arc<Source>) -> Task<R>) -> Arc<Source> {
    let source = Source::open(1);
    drop(call(Arc::clone(&source)).done());
    source
}

fn call_revalidated(source: Arc<Source>) -> Task<Result<u64, Failed>> {
    Task::new(revalidated(source))
}

fn call_on_error(source: Arc<Source>) -> Task<Result<u64, Failed>> {
    Task::new(on_error(source))
}

#[test]
fn an_expired_value_is_served_while_one_load_refreshes_it() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = filled(call_revalidated);
        source.set(2);
        source.close();
        cache.advance(secs(60));
        for _ in 0..10 {
            assert_eq!(call_revalidated(Arc::clone(&source)).done(), Ok(1));
        }
        assert_eq!(background.len(), 1, "one background load");
        background.step();
        source.end(2, End::Well);
        background.step();
        assert_eq!(call_revalidated(Arc::clone(&source)).done(), Ok(2));
        let stats = cache.stats();
        assert_eq!((source.begun(), stats.stale, stats.hits), (2, 10, 1));
    });
}

#[test]
fn past_the_window_callers_wait_for_the_load() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = filled(call_revalidated);
        source.set(2);
        cache.advance(secs(90));
        assert_eq!(call_revalidated(Arc::clone(&source)).done(), Ok(2));
        assert_eq!((background.len(), cache.stats().expired), (0, 1));
    });
}

#[test]
fn without_a_background_the_caller_that_finds_it_refreshes_it() {
    struct Nowhere;
    impl Runtime for Nowhere {
        fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
            Err(task)
        }
    }
    let cache = TestCache::with(Cache::builder().runtime(Nowhere)).unwrap();
    cache.run(|| {
        let source = filled(call_revalidated);
        source.set(2);
        source.close();
        cache.advance(secs(61));
        let mut refreshing = call_revalidated(Arc::clone(&source)).waiting();
        assert_eq!(
            call_revalidated(Arc::clone(&source)).done(),
            Ok(1),
            "the others do not wait"
        );
        source.end(2, End::Well);
        assert_eq!(refreshing.done(), Ok(2));
    });
}

#[test]
fn a_background_load_that_fails_is_tried_again_later_and_harms_nobody() {
    for end in [End::Badly, End::Panicking] {
        let (cache, background) = stepped(|cache| cache);
        cache.run(|| {
            let source = filled(call_revalidated);
            source.close();
            cache.advance(secs(61));
            source.end(2, end);
            assert_eq!(call_revalidated(Arc::clone(&source)).done(), Ok(1));
            background.step();
            for _ in 0..10 {
                assert_eq!(call_revalidated(Arc::clone(&source)).done(), Ok(1));
            }
            assert_eq!(
                (source.begun(), background.len()),
                (2, 0),
                "held back for a second"
            );
            assert_eq!(cache.stats().load_errors, 1, "and counted");
            cache.advance(secs(1));
            source.end(3, End::Well);
            source.set(3);
            assert_eq!(call_revalidated(Arc::clone(&source)).done(), Ok(1));
            background.step();
            assert_eq!(call_revalidated(Arc::clone(&source)).done(), Ok(3));
        });
    }
}

#[test]
fn the_stale_value_comes_on_an_error_and_on_a_panic() {
    for end in [End::Badly, End::Panicking] {
        let (cache, _) = stepped(|cache| cache);
        cache.run(|| {
            let source = filled(call_on_error);
            source.end_all(end);
            cache.advance(secs(61));
            assert_eq!(call_on_error(Arc::clone(&source)).done(), Ok(1));
            assert_eq!((cache.stats().load_errors, cache.stats().fallbacks), (1, 1));
        });
    }
}

#[test]
fn the_stale_value_comes_in_synchronous_code_too() {
    let cache = TestCache::new();
    cache.run(|| {
        let source = Source::open(1);
        assert_eq!(on_error_blocking(&source), Ok(1));
        source.end_all(End::Badly);
        cache.advance(secs(61));
        assert_eq!(on_error_blocking(&source), Ok(1));
        source.end_all(End::Panicking);
        cache.advance(secs(1));
        assert_eq!(on_error_blocking(&source), Ok(1));
        cache.advance(secs(3_600));
        assert!(
            panics(|| on_error_blocking(&source)),
            "past the window the panic is the caller's"
        );
    });
}

#[test]
fn retries_are_held_back() {
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = filled(call_on_error);
        source.end_all(End::Badly);
        cache.advance(secs(60));
        for _ in 0..60 {
            for _ in 0..10 {
                assert_eq!(call_on_error(Arc::clone(&source)).done(), Ok(1));
            }
            cache.advance(secs(1));
        }
        assert_eq!(
            source.begun(),
            1 + 12,
            "600 calls in a minute, a load every 5 seconds"
        );
        let stats = cache.stats();
        assert_eq!(
            (stats.load_errors, stats.fallbacks, stats.stale),
            (12, 12, 588)
        );
    });
}

#[test]
fn neither_jitter_nor_refresh_ahead_brings_a_retry_forward() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let call = |source: &Arc<Source>| Task::new(everything_on(Arc::clone(source)));
        let source = filled(|source| Task::new(everything_on(source)));
        source.end_all(End::Badly);
        cache.advance(secs(60));
        for second in 0..60 {
            assert_eq!(call(&source).done(), Ok(1));
            background.step();
            assert_eq!(source.begun(), 2 + second / 5);
            cache.advance(secs(1));
        }
    });
}

#[test]
fn the_age_limit_holds() {
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = filled(call_on_error);
        source.end_all(End::Badly);
        cache.advance(secs(60 + 3_600 - 1));
        assert_eq!(call_on_error(Arc::clone(&source)).done(), Ok(1));
        cache.advance(secs(1));
        assert_eq!(call_on_error(Arc::clone(&source)).done(), Err(Failed));
    });
}

#[test]
fn only_the_errors_that_are_named_bring_the_stale_value() {
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        let call = |gone| Task::new(only_down(Arc::clone(&source), gone)).done();
        assert_eq!((call(false), call(true)), (Ok(1), Ok(1)));
        source.end_all(End::Badly);
        cache.advance(secs(61));
        assert_eq!((call(false), call(true)), (Ok(1), Err(Error::Gone)));
        assert_eq!(
            call(true),
            Err(Error::Gone),
            "and it is asked again at once"
        );
        assert_eq!(source.begun(), 5);
    });
}

#[test]
fn callers_that_waited_for_a_failed_load_get_the_stale_value_too() {
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = filled(call_on_error);
        source.close();
        cache.advance(secs(61));
        let mut calls: Vec<_> = (0..5)
            .map(|_| call_on_error(Arc::clone(&source)).waiting())
            .collect();
        source.end(2, End::Badly);
        assert!(calls.iter_mut().all(|call| call.done() == Ok(1)));
        assert_eq!(
            (source.begun(), cache.stats().load_errors),
            (2, 1),
            "single flight holds"
        );
    });
}

#[test]
fn an_invalidated_value_is_wrong_and_not_stale() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = filled(call_on_error);
        source.end_all(End::Badly);
        cache.advance(secs(61));
        invalidate!(on_error(_)).wait().unwrap();
        assert_eq!(call_on_error(Arc::clone(&source)).done(), Err(Failed));

        let source = filled(call_revalidated);
        source.set(2);
        cache.advance(secs(61));
        invalidate!(revalidated).wait().unwrap();
        assert_eq!(call_revalidated(Arc::clone(&source)).done(), Ok(2));
        assert_eq!(background.len(), 0);
    });
}

#[test]
fn an_invalidation_during_the_load_bars_the_stale_value() {
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = filled(call_on_error);
        source.close();
        cache.advance(secs(61));
        let mut call = call_on_error(Arc::clone(&source)).waiting();
        invalidate!(all).wait().unwrap();
        source.end(2, End::Badly);
        assert_eq!(call.done(), Err(Failed));
    });
}

#[test]
fn a_soft_invalidation_leaves_the_stale_value() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = filled(call_revalidated);
        source.set(2);
        invalidate!(soft, revalidated).wait().unwrap();
        assert_eq!(
            call_revalidated(Arc::clone(&source)).done(),
            Ok(1),
            "once more"
        );
        background.step();
        assert_eq!(call_revalidated(Arc::clone(&source)).done(), Ok(2));

        let source = filled(call_on_error);
        invalidate!(soft, all).wait().unwrap();
        source.end_all(End::Badly);
        assert_eq!(call_on_error(Arc::clone(&source)).done(), Ok(1));
    });
}

#[test]
fn a_soft_invalidation_of_a_function_without_a_stale_window_is_a_plain_one() {
    #[cached(skip(source))]
    async fn plain(source: Arc<Source>) -> Result<u64, Failed> {
        source.load().await
    }
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = filled(|source| Task::new(plain(source)));
        source.set(2);
        invalidate!(soft, plain).wait().unwrap();
        assert_eq!(Task::new(plain(source)).done(), Ok(2));
    });
}

#[test]
fn a_value_written_during_a_load_that_fails_is_served_by_the_next_call() {
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = filled(call_on_error);
        source.close();
        cache.advance(secs(61));
        let mut call = call_on_error(Arc::clone(&source)).waiting();
        let put = async { entry!(on_error(Arc::clone(&source))).put(Ok(9)).await };
        futures::executor::block_on(put).unwrap();
        source.end(2, End::Badly);
        let _ = call.done();
        assert_eq!(call_on_error(Arc::clone(&source)).done(), Ok(9));
    });
}

#[cached(timeout = 60, stale_while_revalidate = 60, cache_if = |n: &u64| *n < 10)]
async fn refused_later(loads: Loads) -> u64 {
    loads.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst) * 10
}

/// Counts loads; all are equal, so that they make one key.
#[derive(Clone, Default)]
struct Loads(std::sync::Arc<std::sync::atomic::AtomicU64>);

impl PartialEq for Loads {
    fn eq(&self, _: &Loads) -> bool {
        true
    }
}

impl Eq for Loads {}

impl std::hash::Hash for Loads {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

#[test]
fn a_refresh_whose_result_is_not_stored_holds_the_next_back() {
    let cache = dewar::testing::TestCache::new();
    let loads = Loads::default();
    let call = || futures::executor::block_on(cache.run_async(refused_later(loads.clone())));
    assert_eq!(call(), 0);
    cache.advance(std::time::Duration::from_secs(60));
    assert_eq!([call(), call(), call()], [0; 3]);
    assert_eq!(
        loads.0.load(std::sync::atomic::Ordering::SeqCst),
        2,
        "one refresh, not three"
    );
    cache.advance(std::time::Duration::from_secs(1));
    call();
    assert_eq!(
        loads.0.load(std::sync::atomic::Ordering::SeqCst),
        3,
        "the next after a second"
    );
}
