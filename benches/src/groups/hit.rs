//! A value that is there: what most calls of a cache are.

use std::hint::black_box;
use std::sync::Arc;

use futures::executor::block_on;

use crate::cli::Effort;
use crate::measure::{Contender, Race, Turn};
use crate::peers::{self, CAPACITY, floor};
use crate::report::{OURS, Section, Table, Unit};
use crate::summary::Summary;
use crate::traces::{uniform, zipf};

const ABOUT: &str = "One call of a function whose value is there, with a timeout and a bound on \
    entries. With two threads the time is that of each call while the other thread does the same; \
    the throughput is that of two threads to that of one. The floors have neither timeout nor \
    bound. *moka, foldhash* has the hasher that ours and the floors have, in the place of its own. \
    Inside a scope, as in a test or behind a layer that gives an application its cache, only ours \
    does more than outside: the others have no such thing.";

/// Calls a function with one argument after the other, having filled its cache.
fn looping<K, R, F>(name: &'static str, calls: &Arc<[K]>, call: F) -> Contender
where
    K: Send + Sync + 'static,
    F: Fn(&K) -> R + Send + Sync + 'static,
{
    calls.iter().for_each(|it| drop(call(it)));
    let calls = Arc::clone(calls);
    Contender::new(name, move |turn: Turn| {
        for at in turn.places() {
            black_box(call(black_box(&calls[at])));
        }
    })
}

/// The same within one task, as a handler awaits one call after the other.
macro_rules! awaiting {
    ($calls:expr, $($name:expr => $call:path),* $(,)?) => {
        vec![$({
            let calls: Arc<[u64]> = Arc::clone($calls);
            block_on(async {
                for key in &*calls {
                    $call(*key).await;
                }
            });
            Contender::new($name, move |turn: Turn| block_on(async {
                for at in turn.places() {
                    black_box($call(black_box(calls[at])).await);
                }
            }))
        }),*]
    };
}

/// A function of that name in each peer.
macro_rules! everybody {
    ($calls:expr, $function:ident, $with:expr) => {{
        let with = $with;
        vec![
            looping(peers::dewar::NAME, $calls, move |it| {
                with(it, peers::dewar::$function)
            }),
            looping(peers::cached::NAME, $calls, move |it| {
                with(it, peers::cached::$function)
            }),
            looping(peers::concurrent_cached::NAME, $calls, move |it| {
                with(it, peers::concurrent_cached::$function)
            }),
            looping(peers::memoize::NAME, $calls, move |it| {
                with(it, peers::memoize::$function)
            }),
            looping(peers::cachelito::NAME, $calls, move |it| {
                with(it, peers::cachelito::$function)
            }),
            looping(peers::quick_cache::NAME, $calls, move |it| {
                with(it, peers::quick_cache::$function)
            }),
            looping(peers::foyer::NAME, $calls, move |it| {
                with(it, peers::foyer::$function)
            }),
            looping(peers::moka::NAME, $calls, move |it| {
                with(it, peers::moka::$function)
            }),
            looping(floor::mutex::NAME, $calls, move |it| {
                with(it, floor::mutex::$function)
            }),
            looping(floor::lock_free::NAME, $calls, move |it| {
                with(it, floor::lock_free::$function)
            }),
        ]
    }};
}

/// Ours inside a scope, which all threads share.
fn in_scope(calls: &Arc<[u64]>) -> Contender {
    let cache = peers::dewar::cache(CAPACITY);
    cache.scope_blocking(|| {
        calls.iter().for_each(|it| {
            black_box(peers::dewar::number(*it));
        });
    });
    let calls = Arc::clone(calls);
    Contender::new(peers::dewar::NAME, move |turn: Turn| {
        cache.scope_blocking(|| {
            for at in turn.places() {
                black_box(peers::dewar::number(black_box(calls[at])));
            }
        });
    })
}

/// Keys and how they are called.
fn scenarios() -> [(&'static str, Arc<[u64]>); 4] {
    [
        ("1 key", uniform(1)),
        ("8 keys", uniform(8)),
        ("10,000 keys, Zipf", zipf(10_000)),
        ("10,000 keys, uniform", uniform(10_000)),
    ]
}

/// Measures the group.
pub fn run(effort: Effort) -> Section {
    peers::dewar::install();
    let race = Race::new(effort).threads(&[1, 2]);
    let (mut hit, mut throughput) = (Table::new("hit"), Table::new("throughput"));
    let mut add = |what: String, measured: Vec<Vec<(&'static str, Summary)>>| {
        throughput.row(what.clone(), Unit::Times, ratios(&measured));
        for (threads, cells) in ["1 thread", "2 threads"].into_iter().zip(measured) {
            hit.row(format!("{what}, {threads}"), Unit::Time, cells);
        }
    };
    for (keys, calls) in &scenarios() {
        let number = |it: &u64, call: fn(u64) -> u64| call(*it);
        let mut contenders = everybody!(calls, number, number);
        let hashed = looping(peers::moka::HASHED, calls, |it| {
            peers::moka::number_hashed(*it)
        });
        let after_moka = contenders.len() - 2;
        contenders.insert(after_moka, hashed);
        add(format!("u64, {keys}"), race.run(contenders));
    }
    let (keys, calls) = &scenarios()[1];
    let number = |it: &u64, call: fn(u64) -> u64| call(*it);
    let mut contenders = everybody!(calls, number, number);
    contenders[0] = in_scope(calls);
    // Not among the rows of which something is asked.
    add(format!("inside a scope, u64, {keys}"), race.run(contenders));
    for (keys, calls) in &scenarios()[1..3] {
        let texts: Arc<[_]> = calls.iter().map(named).collect();
        let text = |it: &(String, u32), call: fn(&str, u32) -> Arc<str>| call(&it.0, it.1);
        add(
            format!("(&str, u32) → Arc<str>, {keys}"),
            race.run(everybody!(&texts, text, text)),
        );
        let bytes = |it: &u64, call: fn(u64) -> Arc<Vec<u8>>| call(*it);
        add(
            format!("u64 → Arc<Vec<u8>>, {keys}"),
            race.run(everybody!(calls, bytes, bytes)),
        );
    }
    Section {
        about: ABOUT,
        tables: vec![hit, throughput, asynchronous(race)],
    }
}

fn asynchronous(race: Race) -> Table {
    let mut table = Table::new("async hit");
    for (keys, calls) in &scenarios()[1..3] {
        let small = awaiting!(calls,
            OURS => peers::dewar::number_async,
            peers::cached::NAME => peers::cached::number_async,
            peers::concurrent_cached::NAME => peers::concurrent_cached::number_async,
            peers::quick_cache::NAME => peers::quick_cache::number_async,
            peers::foyer::NAME => peers::foyer::number_async,
            peers::moka::NAME => peers::moka::number_async,
        );
        let large = awaiting!(calls,
            OURS => peers::dewar::large_async,
            peers::cached::NAME => peers::cached::large_async,
            peers::concurrent_cached::NAME => peers::concurrent_cached::large_async,
            peers::quick_cache::NAME => peers::quick_cache::large_async,
            peers::foyer::NAME => peers::foyer::large_async,
            peers::moka::NAME => peers::moka::large_async,
        );
        for (what, contenders) in [("u64", small), ("a future of 4 KiB", large)] {
            for (threads, cells) in ["1 thread", "2 threads"]
                .into_iter()
                .zip(race.run(contenders))
            {
                table.row(format!("{what}, {keys}, {threads}"), Unit::Time, cells);
            }
        }
    }
    table
}

fn named(key: &u64) -> (String, u32) {
    (format!("customer {key}"), *key as u32)
}

/// How many times the throughput of one thread two have.
fn ratios(measured: &[Vec<(&'static str, Summary)>]) -> Vec<(&'static str, Summary)> {
    let ratio = |((name, one), (_, two)): (&(&'static str, Summary), &(&'static str, Summary))| {
        (*name, Summary::exact(2.0 * one.median / two.median))
    };
    measured[0].iter().zip(&measured[1]).map(ratio).collect()
}
