//! Hits whose instructions are counted, by the table's row and the contender's name.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::peers::{self, floor};

/// A hit: its contender, and a function that makes it so many times.
pub type Call = (&'static str, fn(u64));

/// The rows, with what is called in each.
pub const ROWS: &[(&str, &[Call])] = &[
    ("u64", NUMBERS),
    ("(&str, u32) → Arc<str>", TEXTS),
    ("async u64", FUTURES),
];

macro_rules! calls {
    ($($name:expr => $call:expr),* $(,)?) => {
        &[$(($name, |times| {
            for _ in 0..times {
                black_box($call);
            }
        })),*]
    };
}

const NUMBERS: &[Call] = calls![
    peers::dewar::NAME => peers::dewar::number(black_box(7)),
    peers::cached::NAME => peers::cached::number(black_box(7)),
    peers::concurrent_cached::NAME => peers::concurrent_cached::number(black_box(7)),
    peers::memoize::NAME => peers::memoize::number(black_box(7)),
    peers::cachelito::NAME => peers::cachelito::number(black_box(7)),
    peers::quick_cache::NAME => peers::quick_cache::number(black_box(7)),
    peers::foyer::NAME => peers::foyer::number(black_box(7)),
    peers::moka::NAME => peers::moka::number(black_box(7)),
    floor::mutex::NAME => floor::mutex::number(black_box(7)),
    floor::lock_free::NAME => floor::lock_free::number(black_box(7)),
];

const TEXTS: &[Call] = calls![
    peers::dewar::NAME => text(peers::dewar::text),
    peers::cached::NAME => text(peers::cached::text),
    peers::concurrent_cached::NAME => text(peers::concurrent_cached::text),
    peers::memoize::NAME => text(peers::memoize::text),
    peers::cachelito::NAME => text(peers::cachelito::text),
    peers::quick_cache::NAME => text(peers::quick_cache::text),
    peers::foyer::NAME => text(peers::foyer::text),
    peers::moka::NAME => text(peers::moka::text),
    floor::mutex::NAME => text(floor::mutex::text),
    floor::lock_free::NAME => text(floor::lock_free::text),
];

const FUTURES: &[Call] = calls![
    peers::dewar::NAME => ready(peers::dewar::number_async(black_box(7))),
    peers::cached::NAME => ready(peers::cached::number_async(black_box(7))),
    peers::concurrent_cached::NAME => ready(peers::concurrent_cached::number_async(black_box(7))),
    peers::quick_cache::NAME => ready(peers::quick_cache::number_async(black_box(7))),
    peers::foyer::NAME => ready(peers::foyer::number_async(black_box(7))),
    peers::moka::NAME => ready(peers::moka::number_async(black_box(7))),
];

#[inline]
fn text(call: impl Fn(&str, u32) -> Arc<str>) -> Arc<str> {
    call(black_box("customer 7"), black_box(7))
}

/// Polls once: a hit is ready then, and so is a body that waits for nothing.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a hit is ready at once"),
    }
}
