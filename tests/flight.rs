//! Callers that ask for the same key at the same time share one run of the body.

mod common;

use std::sync::Arc;
use std::sync::Barrier;

use common::{End, Failed, Source, Task, panics, stepped};
use dewar::testing::{TestCache, isolated};
use dewar::{Cache, cached};

#[cached(skip(source))]
async fn item(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
    let _ = id;
    source.load().await
}

#[cached(skip(source))]
fn item_blocking(source: &Source, id: u64) -> Result<u64, Failed> {
    let _ = id;
    source.load_blocking()
}

#[cached(skip(source), single_flight = false)]
async fn each_for_itself(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
    let _ = id;
    source.load().await
}

/// An error that cannot be given to several callers.
#[derive(Debug, PartialEq)]
struct OneOnly;

#[cached(skip(source))]
async fn one_error(source: Arc<Source>, id: u64) -> Result<u64, OneOnly> {
    let _ = id;
    source.load().await.map_err(|_| OneOnly)
}

type Call<E> = Task<Result<u64, E>>;

fn callers(n: usize, source: &Arc<Source>) -> Vec<Call<Failed>> {
    (0..n)
        .map(|_| Task::new(item(Arc::clone(source), 1)).waiting())
        .collect()
}

#[test]
fn ten_a_hundred_and_a_thousand_tasks_share_one_run() {
    for n in [10, 100, 1_000] {
        isolated(|cache| {
            let source = Source::shut(7);
            let mut tasks = callers(n, &source);
            source.end(1, End::Well);
            assert!(tasks.iter_mut().all(|task| task.done() == Ok(7)));
            assert_eq!(source.begun(), 1);
            let stats = cache.stats();
            assert_eq!((stats.loads, stats.stores), (1, 1));
            assert_eq!((stats.absent, stats.coalesced), (n as u64, n as u64 - 1));
        });
    }
}

#[test]
fn ten_and_a_hundred_threads_share_one_run() {
    for n in [10, 100] {
        let cache = TestCache::new();
        let source = Source::shut(7);
        let ready = Barrier::new(n);
        std::thread::scope(|scope| {
            for _ in 0..n {
                scope.spawn(|| {
                    ready.wait();
                    assert_eq!(cache.run(|| item_blocking(&source, 1)), Ok(7));
                });
            }
            while cache.stats().coalesced < n as u64 - 1 {
                std::thread::yield_now();
            }
            source.end_all(End::Well);
        });
        assert_eq!((source.begun(), cache.stats().loads), (1, 1));
    }
}

#[test]
fn tasks_and_threads_of_one_cache_share_flights() {
    let cache = TestCache::new();
    let source = Source::shut(7);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let load = || source.load_blocking();
            cache.blocking().get_or_load("k", common::secs(9), load)
        });
        source.await_begun(1);
        let (cache, data) = (cache.clone(), Arc::clone(&source));
        let mut task = Task::new(async move {
            cache
                .get_or_load("k", common::secs(9), || data.load())
                .await
        })
        .waiting();
        source.end(1, End::Well);
        assert_eq!(thread.join().unwrap(), Ok(7));
        assert_eq!(task.done(), Ok(7));
    });
    assert_eq!(source.begun(), 1);
}

#[test]
fn different_keys_are_loaded_side_by_side() {
    isolated(|_| {
        let source = Source::shut(7);
        let mut tasks: Vec<_> = (0..64)
            .map(|id| Task::new(item(Arc::clone(&source), id)).waiting())
            .collect();
        assert_eq!(source.begun(), 64, "nobody waits for another's key");
        source.end_all(End::Well);
        assert!(tasks.iter_mut().all(|task| task.done() == Ok(7)));
    });
}

#[test]
fn without_single_flight_everybody_loads() {
    isolated(|cache| {
        let source = Source::shut(7);
        let mut tasks: Vec<_> = (0..5)
            .map(|_| Task::new(each_for_itself(Arc::clone(&source), 1)).waiting())
            .collect();
        assert_eq!(source.begun(), 5);
        source.end_all(End::Well);
        assert!(tasks.iter_mut().all(|task| task.done() == Ok(7)));
        assert_eq!((cache.stats().loads, cache.stats().coalesced), (5, 0));
    });
}

#[test]
fn a_panic_reaches_one_caller_and_another_one_loads() {
    isolated(|cache| {
        let source = Source::shut(7);
        let mut tasks = callers(10, &source);
        source.end(1, End::Panicking);
        source.end(2, End::Well);
        assert!(panics(|| tasks[0].done()));
        assert!(tasks[1..].iter_mut().all(|task| task.done() == Ok(7)));
        assert_eq!(source.begun(), 2);
        assert_eq!((cache.stats().loads, cache.stats().load_errors), (2, 1));
    });
}

#[test]
fn a_panic_in_a_thread_reaches_that_caller_only() {
    let cache = TestCache::new();
    let source = Source::shut(7);
    source.end(2, End::Well);
    std::thread::scope(|scope| {
        let leader = scope.spawn(|| panics(|| cache.run(|| item_blocking(&source, 1))));
        source.await_begun(1);
        let waiter = scope.spawn(|| cache.run(|| item_blocking(&source, 1)));
        while cache.stats().coalesced < 1 {
            std::thread::yield_now();
        }
        source.end(1, End::Panicking);
        assert!(leader.join().unwrap());
        assert_eq!(waiter.join().unwrap(), Ok(7));
    });
    assert_eq!(source.begun(), 2);
}

#[test]
fn an_error_is_shared_once() {
    isolated(|cache| {
        let source = Source::shut(7);
        let mut tasks = callers(8, &source);
        source.end(1, End::Badly);
        assert!(tasks.iter_mut().all(|task| task.done() == Err(Failed)));
        assert_eq!(source.begun(), 1, "eight callers, one failed load");
        assert_eq!((cache.stats().load_errors, cache.stats().stores), (1, 0));
        source.end(2, End::Well);
        assert_eq!(callers_done(&source), Ok(7), "and it is not remembered");
    });
}

fn callers_done(source: &Arc<Source>) -> Result<u64, Failed> {
    Task::new(item(Arc::clone(source), 1)).done()
}

#[test]
fn an_error_that_cannot_be_cloned_is_loaded_side_by_side() {
    isolated(|_| {
        let source = Source::shut(7);
        let task = || Task::new(one_error(Arc::clone(&source), 1)).waiting();
        let mut tasks: Vec<Call<OneOnly>> = (0..8).map(|_| task()).collect();
        source.end(1, End::Badly);
        assert_eq!(tasks[0].done(), Err(OneOnly));
        tasks[1..].iter_mut().for_each(Task::pending);
        assert_eq!((source.begun(), source.ended()), (8, 1), "not in series");
        source.end_all(End::Badly);
        assert!(
            tasks[1..]
                .iter_mut()
                .all(|task| task.done() == Err(OneOnly))
        );
        assert_eq!(source.begun(), 8);
    });
}

#[test]
fn a_value_is_shared_though_the_error_could_not_be() {
    isolated(|_| {
        let source = Source::shut(7);
        let task = || Task::new(one_error(Arc::clone(&source), 1)).waiting();
        let mut tasks: Vec<Call<OneOnly>> = (0..8).map(|_| task()).collect();
        source.end(1, End::Well);
        assert!(tasks.iter_mut().all(|task| task.done() == Ok(7)));
        assert_eq!(source.begun(), 1);
    });
}

#[test]
fn loads_of_one_key_with_different_error_types_do_not_mix() {
    isolated(|cache| {
        let source = Source::shut(7);
        let (one, other) = (TestCache::clone(cache), TestCache::clone(cache));
        let (first, second) = (Arc::clone(&source), Arc::clone(&source));
        let mut plain =
            Task::new(async move { one.get_or_load("k", common::secs(9), || first.load()).await })
                .waiting();
        let mut text = Task::new(async move {
            let load = async || second.load().await.map_err(|_| "text".to_owned());
            other
                .get_or_load::<u64, String, _>("k", common::secs(9), load)
                .await
        })
        .waiting();
        source.end_all(End::Badly);
        assert_eq!(plain.done(), Err(Failed));
        assert_eq!(text.done(), Err("text".to_owned()));
    });
}

#[test]
fn waiting_is_bounded_and_then_a_caller_loads_for_itself() {
    let (cache, _) = stepped(|cache: dewar::CacheBuilder| cache.max_wait(common::secs(5)));
    cache.run(|| {
        let source = Source::shut(7);
        let mut tasks = callers(3, &source);
        cache.advance(common::millis(4_999));
        tasks.iter_mut().for_each(Task::pending);
        assert_eq!(source.begun(), 1);
        cache.advance(common::millis(1));
        source.end(2, End::Well);
        source.end(3, End::Well);
        assert_eq!((tasks[1].done(), tasks[2].done()), (Ok(7), Ok(7)));
        tasks[0].pending();
        assert_eq!(callers_done(&source), Ok(7), "what they loaded is stored");
        assert_eq!(source.begun(), 3);
    });
}

#[cached(skip(first))]
async fn ring(first: &Source, at: u64) -> u64 {
    let _ = first.load().await;
    match FINISH.get() {
        true => at,
        false => Box::pin(ring(first, 1 - at)).await,
    }
}

thread_local! {
    static FINISH: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[test]
fn two_tasks_that_wait_for_each_other_do_not_do_so_for_ever() {
    isolated(|cache| {
        let source = Source::shut(7);
        let task = |at| {
            let source = Arc::clone(&source);
            Task::new(async move { ring(&source, at).await }).waiting()
        };
        let (mut one, mut other) = (task(0), task(1));
        source.end_all(End::Well);
        one.pending();
        other.pending();
        assert_eq!((source.begun(), cache.stats().coalesced), (2, 2), "a ring");
        cache.advance(common::secs(60));
        FINISH.set(true);
        assert_eq!((one.done(), other.done()), (1, 1));
    });
}

#[test]
fn a_cache_that_is_dropped_while_a_load_runs_lets_it_end() {
    let source = Source::shut(7);
    let cache = Cache::builder().build().unwrap();
    let mut task = Task::new(cache.scope(item(Arc::clone(&source), 1))).waiting();
    drop(cache);
    source.end(1, End::Well);
    assert_eq!(task.done(), Ok(7));
}

#[cached(
    timeout = 60,
    single_flight = false,
    stale_while_revalidate = 600,
    skip(source)
)]
async fn side_by_side(source: Arc<Source>) -> Result<u64, Failed> {
    source.load().await
}

#[test]
fn without_single_flight_there_is_still_one_load_in_the_background() {
    let (cache, background) = stepped(|builder| builder);
    cache.run(|| {
        let source = Source::shut(0);
        let mut first = Task::new(side_by_side(Arc::clone(&source))).waiting();
        source.end(1, End::Well);
        assert_eq!(first.done(), Ok(0));
        cache.advance(common::secs(61));
        for _ in 0..100 {
            assert_eq!(Task::new(side_by_side(Arc::clone(&source))).done(), Ok(0));
        }
        background.step();
        assert_eq!((background.len(), source.begun()), (1, 2));
    });
}
