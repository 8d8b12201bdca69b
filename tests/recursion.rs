//! Functions that call themselves, on other keys and on their own, with single flight on.

mod common;

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use common::Task;
use dewar::cached;
use dewar::testing::isolated;

const FIB_80: u64 = 23_416_728_348_467_685;

#[cached]
fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

#[cached]
async fn fib_async(n: u64) -> u64 {
    match n {
        0 | 1 => n,
        _ => Box::pin(fib_async(n - 1)).await + Box::pin(fib_async(n - 2)).await,
    }
}

/// Fails the test that takes a second or more.
fn in_under_a_second(run: impl FnOnce()) {
    let start = Instant::now();
    run();
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn fib_of_80_takes_under_a_second() {
    isolated(|cache| {
        in_under_a_second(|| assert_eq!(fib(80), FIB_80));
        assert_eq!((cache.stats().loads, cache.stats().hits), (81, 78));
    });
}

#[test]
fn fib_of_80_takes_under_a_second_async() {
    isolated(|cache| {
        in_under_a_second(|| assert_eq!(Task::new(fib_async(80)).done(), FIB_80));
        assert_eq!((cache.stats().loads, cache.stats().hits), (81, 78));
    });
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// How deep a call is, which is no part of its key.
fn deeper() -> u32 {
    DEPTH.set(DEPTH.get() + 1);
    DEPTH.get()
}

#[cached]
fn again(n: u64) -> u64 {
    if deeper() < 3 { again(n) + 1 } else { n }
}

#[cached]
async fn again_async(n: u64) -> u64 {
    if deeper() < 3 {
        Box::pin(again_async(n)).await + 1
    } else {
        n
    }
}

#[test]
fn a_call_from_within_its_own_load_runs_the_body() {
    isolated(|cache| {
        assert_eq!(again(5), 7);
        assert_eq!(again(5), 7);
        assert_eq!((DEPTH.get(), cache.stats().hits), (3, 1));
    });
}

#[test]
fn a_call_from_within_its_own_load_runs_the_body_async() {
    isolated(|cache| {
        assert_eq!(Task::new(again_async(5)).done(), 7);
        assert_eq!(Task::new(again_async(5)).done(), 7);
        assert_eq!((DEPTH.get(), cache.stats().hits), (3, 1));
    });
}

#[cached]
fn even(n: u64) -> bool {
    n == 0 || odd(n - 1)
}

#[cached]
fn odd(n: u64) -> bool {
    n != 0 && even(n - 1)
}

#[test]
fn functions_that_call_each_other_work() {
    isolated(|cache| {
        assert!(even(100) && odd(99) && !odd(100));
        assert_eq!((cache.stats().loads, cache.stats().hits), (101 + 101, 1));
    });
}

#[cached]
fn ping(n: u64) -> u64 {
    if deeper() > 4 { n } else { pong(n) + 1 }
}

#[cached]
fn pong(n: u64) -> u64 {
    ping(n) + 1
}

#[test]
fn a_ring_of_calls_on_one_thread_does_not_hang() {
    isolated(|_| assert_eq!(ping(1), 9));
}

#[test]
fn a_panic_deep_down_leaves_every_level_usable() {
    #[cached]
    fn deep(n: u64) -> u64 {
        match n {
            0 if deeper() == 1 => panic!("the first time at the bottom"),
            0 => 0,
            _ => deep(n - 1) + 1,
        }
    }
    isolated(|_| {
        assert!(common::panics(|| deep(10)));
        assert_eq!(deep(10), 10);
    });
}

fn through_a_helper(n: u64) -> Result<u64, dewar::TimedOut> {
    on_another_thread(n)
}

/// Calls itself for the same key, out of sight of the attribute.
#[cached(timeout = 60, hard_timeout = "20s")]
fn on_another_thread(n: u64) -> Result<u64, dewar::TimedOut> {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    match RUNS.fetch_add(1, SeqCst) {
        0 => Ok(through_a_helper(n)? + 1),
        _ => Ok(n),
    }
}

#[test]
fn a_body_on_another_thread_that_calls_itself_for_the_same_key_ends() {
    isolated(|_| assert_eq!(on_another_thread(5).unwrap(), 6));
}
