//! What a call allocates.

use std::hint::black_box;

use allocation_counter::measure;
use futures::executor::block_on;

use dewar_benches::cli::Effort;
use dewar_benches::peers::{self, STORES, floor};
use dewar_benches::report::{OURS, Section, Table, Unit};
use dewar_benches::summary::Summary;

const ABOUT: &str = "Allocations of one call, the mean of a thousand, with a timeout and a bound. \
    The misses evict: the cache is full.";

const CALLS: u64 = 1_000;

/// Allocations of one of a thousand calls, after a thousand that set up what is set up once.
fn each(mut call: impl FnMut(u64)) -> Summary {
    (0..CALLS).for_each(&mut call);
    let measured = measure(|| (0..CALLS).for_each(&mut call));
    Summary::exact(measured.count_total as f64 / CALLS as f64)
}

macro_rules! each {
    ($($name:expr => $call:expr),* $(,)?) => {
        vec![$(($name, each(|n| {
            black_box($call(black_box(n)));
        }))),*]
    };
}

pub(crate) fn run(_: Effort) -> Section {
    peers::dewar::install();
    let mut table = Table::new("allocations");
    let cells = each![
        OURS => |_| peers::dewar::number(7),
        peers::cached::NAME => |_| peers::cached::number(7),
        peers::concurrent_cached::NAME => |_| peers::concurrent_cached::number(7),
        peers::memoize::NAME => |_| peers::memoize::number(7),
        peers::cachelito::NAME => |_| peers::cachelito::number(7),
        peers::quick_cache::NAME => |_| peers::quick_cache::number(7),
        peers::foyer::NAME => |_| peers::foyer::number(7),
        peers::moka::NAME => |_| peers::moka::number(7),
    ];
    table.row("hit, u64", Unit::Count, cells);
    let cells = each![
        OURS => |_| peers::dewar::text("a name", 7),
        peers::cached::NAME => |_| peers::cached::text("a name", 7),
        peers::concurrent_cached::NAME => |_| peers::concurrent_cached::text("a name", 7),
        peers::memoize::NAME => |_| peers::memoize::text("a name", 7),
        peers::cachelito::NAME => |_| peers::cachelito::text("a name", 7),
        peers::quick_cache::NAME => |_| peers::quick_cache::text("a name", 7),
        peers::foyer::NAME => |_| peers::foyer::text("a name", 7),
        peers::moka::NAME => |_| peers::moka::text("a name", 7),
        floor::mutex::NAME => |_| floor::mutex::text("a name", 7),
    ];
    table.row("hit, (&str, u32) → Arc<str>", Unit::Count, cells);
    let cells = each![
        OURS => |_| block_on(peers::dewar::number_async(7)),
        peers::cached::NAME => |_| block_on(peers::cached::number_async(7)),
        peers::concurrent_cached::NAME => {
            |_| block_on(peers::concurrent_cached::number_async(7))
        },
        peers::quick_cache::NAME => |_| block_on(peers::quick_cache::number_async(7)),
        peers::foyer::NAME => |_| block_on(peers::foyer::number_async(7)),
        peers::moka::NAME => |_| block_on(peers::moka::number_async(7)),
    ];
    table.row("hit, async u64", Unit::Count, cells);
    let cache = peers::dewar::cache(peers::CAPACITY);
    let cells = cache.scope_blocking(|| each![OURS => |_| peers::dewar::number(7)]);
    table.row("hit, u64, inside a scope", Unit::Count, cells);
    table.row("miss, u64", Unit::Count, misses());
    Section {
        about: ABOUT,
        tables: vec![table],
    }
}

fn misses() -> Vec<(&'static str, Summary)> {
    let miss = |(name, make): &peers::Kind| {
        let store = make(10_000);
        store.call(&(0..20_000).collect::<Vec<_>>());
        store.settle();
        let mut next = 1 << 40;
        let one = |_| {
            next += 1;
            assert_eq!(store.call(&[next]), 1);
        };
        (*name, each(one))
    };
    STORES.iter().map(miss).collect()
}
