//! Slow loads: the soft timeout brings the stale value, the hard timeout an error.

mod common;

use std::sync::Arc;

use common::{End, Failed, Source, Task, secs, stepped};
use dewar::{TimedOut, cached};

#[derive(Clone, Debug, PartialEq)]
enum Error {
    Failed,
    Slow(TimedOut),
}

impl From<TimedOut> for Error {
    fn from(error: TimedOut) -> Self {
        Error::Slow(error)
    }
}

impl From<Failed> for Error {
    fn from(_: Failed) -> Self {
        Error::Failed
    }
}

#[cached(timeout = 60, stale_if_error = 600, soft_timeout = 1, skip(source))]
async fn soft(source: Arc<Source>) -> Result<u64, Failed> {
    source.load().await
}

#[cached(timeout = 60, stale_if_error = 600, soft_timeout = 1, skip(source))]
fn soft_blocking(source: Arc<Source>) -> Result<u64, Failed> {
    source.load_blocking()
}

#[cached(timeout = 60, hard_timeout = 2, skip(source))]
async fn hard(source: Arc<Source>) -> Result<u64, Error> {
    Ok(source.load().await?)
}

#[cached(timeout = 60, hard_timeout = 2, skip(source))]
fn hard_blocking(source: Arc<Source>) -> Result<u64, Error> {
    Ok(source.load_blocking()?)
}

#[cached(
    timeout = 60,
    hard_timeout = 2,
    stale_while_revalidate = 60,
    skip(source)
)]
async fn hard_in_background(source: Arc<Source>) -> Result<u64, Error> {
    Ok(source.load().await?)
}

#[cached(timeout = 60, stale_if_error = 600, hard_timeout = 2, skip(source))]
async fn hard_and_stale(source: Arc<Source>) -> Result<u64, Error> {
    Ok(source.load().await?)
}

fn call(source: &Arc<Source>) -> Task<Result<u64, Failed>> {
    Task::new(soft(Arc::clone(source)))
}

fn call_hard(source: &Arc<Source>) -> Task<Result<u64, Error>> {
    Task::new(hard(Arc::clone(source)))
}

fn is_slow<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Slow(error)) if error.limit() == secs(2))
}

#[test]
fn a_soft_timeout_returns_in_its_time_and_the_new_value_appears_later() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        assert_eq!(call(&source).done(), Ok(1));
        source.close();
        source.set(2);
        cache.advance(secs(61));
        let (mut leader, mut waiter) = (call(&source).waiting(), call(&source).waiting());
        cache.advance(common::millis(999));
        leader.pending();
        cache.advance(common::millis(1));
        assert_eq!((leader.done(), waiter.done()), (Ok(1), Ok(1)));
        assert_eq!(
            (source.begun(), background.len()),
            (2, 1),
            "one load, in the background now"
        );
        source.end(2, End::Well);
        background.step();
        assert_eq!(call(&source).done(), Ok(2));
        assert_eq!((source.begun(), cache.stats().fallbacks), (2, 2));
    });
}

#[test]
fn a_soft_timeout_without_a_stale_value_is_none() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::shut(1);
        let mut first = call(&source).waiting();
        cache.advance(secs(100));
        first.pending();
        source.end(1, End::Well);
        assert_eq!((first.done(), background.len()), (Ok(1), 0));
    });
}

#[test]
fn a_load_faster_than_the_soft_timeout_returns_the_new_value() {
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        assert_eq!(call(&source).done(), Ok(1));
        source.set(2);
        cache.advance(secs(61));
        assert_eq!(call(&source).done(), Ok(2));
    });
}

#[test]
fn a_synchronous_caller_need_not_wait_longer_than_the_soft_timeout() {
    let (cache, _) = stepped(|cache| cache);
    let source = Source::open(1);
    assert_eq!(cache.run(|| soft_blocking(Arc::clone(&source))), Ok(1));
    source.set(2);
    source.close();
    cache.advance(secs(61));
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| cache.run(|| soft_blocking(Arc::clone(&source))));
        source.await_begun(2);
        while !caller.is_finished() {
            cache.advance(secs(1));
            std::thread::yield_now();
        }
        assert_eq!(caller.join().unwrap(), Ok(1));
    });
    source.end(2, End::Well);
    while cache.stats().stores < 2 {
        std::thread::yield_now();
    }
    assert_eq!((source.begun(), cache.stats().loads), (2, 2));
}

#[test]
fn a_load_slower_than_the_hard_timeout_is_an_error() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::shut(1);
        let mut calls: Vec<_> = (0..3).map(|_| call_hard(&source).waiting()).collect();
        cache.advance(common::millis(1_999));
        calls.iter_mut().for_each(Task::pending);
        cache.advance(common::millis(1));
        assert!(calls.iter_mut().all(|call| is_slow(call.done())));
        assert_eq!(
            (source.begun(), Arc::strong_count(&source)),
            (1, 1),
            "the body is dropped"
        );
        assert_eq!((cache.stats().load_errors, background.len()), (1, 0));
        source.end(2, End::Well);
        assert_eq!(call_hard(&source).done(), Ok(1), "the next call loads");
    });
}

#[test]
fn a_caller_that_joins_late_has_the_whole_hard_timeout() {
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::shut(1);
        let first = call_hard(&source).waiting();
        cache.advance(secs(1));
        let mut second = call_hard(&source).waiting();
        drop(first);
        cache.advance(secs(1));
        second.pending();
        source.end(1, End::Well);
        assert_eq!((second.done(), source.begun()), (Ok(1), 1));
    });
}

#[test]
fn a_synchronous_load_slower_than_the_hard_timeout_is_an_error() {
    let (cache, _) = stepped(|cache| cache);
    let source = Source::shut(1);
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| cache.run(|| hard_blocking(Arc::clone(&source))));
        source.await_begun(1);
        while !caller.is_finished() {
            cache.advance(secs(2));
            std::thread::yield_now();
        }
        assert!(is_slow(caller.join().unwrap()));
    });
    source.end_all(End::Well);
    assert_eq!(cache.run(|| hard_blocking(Arc::clone(&source))), Ok(1));
}

#[test]
fn the_stale_value_comes_on_a_hard_timeout() {
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        let call = || Task::new(hard_and_stale(Arc::clone(&source)));
        assert_eq!(call().done(), Ok(1));
        source.close();
        cache.advance(secs(61));
        let (mut leader, mut waiter) = (call().waiting(), call().waiting());
        cache.advance(secs(2));
        assert_eq!((leader.done(), waiter.done()), (Ok(1), Ok(1)));
        assert_eq!(cache.stats().load_errors, 1);
        assert_eq!(call().done(), Ok(1));
        assert_eq!(source.begun(), 2, "and the next load is held back");
    });
}

#[test]
fn a_background_load_ends_with_its_hard_timeout() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        let call = || Task::new(hard_in_background(Arc::clone(&source)));
        assert_eq!(call().done(), Ok(1));
        source.close();
        cache.advance(secs(61));
        assert_eq!(call().done(), Ok(1));
        background.step();
        assert_eq!((source.begun(), background.len()), (2, 1));
        cache.advance(secs(2));
        background.step();
        assert_eq!(background.len(), 0, "it does not hang there for ever");
        assert_eq!(
            (Arc::strong_count(&source), cache.stats().load_errors),
            (1, 1)
        );
        cache.advance(secs(60));
        source.end(3, End::Well);
        assert_eq!(call().done(), Ok(1), "and nobody waits for it");
    });
}
