//! Many callers at once, and nothing there yet.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cached::macros::cached as peer_cached;
use dewar::cached;
use futures::future::join_all;
use tokio::runtime::{Builder, Runtime};

use crate::cli::Effort;
use crate::peers::{self, TIMEOUT};
use crate::report::{OURS, Section, Table, Unit};
use crate::summary::Summary;

const ABOUT: &str = "64 tasks on a runtime of two threads ask at once; the body takes 10 ms of \
    waiting. *Runs* says how often it ran for all of them together, the time is until the last \
    one has its answer. For 64 keys, one after the other would take 640 ms. memoize and cachelito \
    have synchronous functions: their callers are 64 threads, as are those of *dewar, threads*.";

const CALLERS: u64 = 64;

static RUNS: AtomicU64 = AtomicU64::new(0);

async fn body(n: u64) -> u64 {
    RUNS.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(10)).await;
    n
}

#[cached(timeout = "1h")]
async fn ours(n: u64) -> u64 {
    body(n).await
}

#[peer_cached(max_size = 100_000, ttl_secs = 3600)]
async fn by_default(n: u64) -> u64 {
    body(n).await
}

#[peer_cached(max_size = 100_000, ttl_secs = 3600, sync_writes = "by_key")]
async fn by_key(n: u64) -> u64 {
    body(n).await
}

fn blocking_body(n: u64) -> u64 {
    RUNS.fetch_add(1, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(10));
    n
}

#[cached(timeout = "1h")]
fn ours_blocking(n: u64) -> u64 {
    blocking_body(n)
}

#[memoize::memoize(SharedCache, Capacity: 100_000, TimeToLive: TIMEOUT)]
fn memoized(n: u64) -> u64 {
    blocking_body(n)
}

#[cachelito::cache(limit = 100_000, ttl = 3600)]
fn cachelito(n: u64) -> u64 {
    blocking_body(n)
}

/// A synchronous call, on a thread of the runtime's for what blocks.
async fn on_a_thread(call: fn(u64) -> u64, n: u64) -> u64 {
    let done = tokio::task::spawn_blocking(move || call(n)).await;
    done.unwrap_or_default()
}

/// Calls a function from many tasks: the times, and how often the body ran.
fn stampede<F, R>(runtime: &Runtime, rounds: u64, same: bool, call: F) -> (Summary, Summary)
where
    F: Fn(u64) -> R,
    R: Future<Output = u64> + Send + 'static,
{
    let (mut times, mut runs) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let key = |caller: u64| round * CALLERS + if same { 0 } else { caller };
        RUNS.store(0, Ordering::Relaxed);
        let start = Instant::now();
        let answers = runtime.block_on(async {
            let tasks = (0..CALLERS).map(|caller| tokio::spawn(call(key(caller))));
            join_all(tasks.collect::<Vec<_>>()).await
        });
        times.push(start.elapsed().as_nanos() as f64);
        runs.push(RUNS.load(Ordering::Relaxed) as f64);
        for (caller, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.ok(), Some(key(caller as u64)));
        }
    }
    (Summary::of(times), Summary::of(runs))
}

/// Measures the group.
///
/// # Panics
/// There is no runtime to be had.
pub fn run(effort: Effort) -> Section {
    peers::dewar::install();
    let rounds = effort.pick(41, 3);
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    let (mut runs, mut times) = (Table::new("runs"), Table::new("stampede"));
    for (what, same) in [("one key", true), ("64 keys", false)] {
        // Keys of the first kind are not there for the second: each peer has caches of both.
        let shift = if same { 0 } else { 1 << 32 };
        let threads = |name, call| {
            let call = |n| plain(on_a_thread(call, n + shift), shift);
            (name, stampede(&runtime, rounds, same, call))
        };
        let measured = [
            (
                OURS,
                stampede(&runtime, rounds, same, |n| plain(ours(n + shift), shift)),
            ),
            (
                "cached",
                stampede(&runtime, rounds, same, |n| {
                    plain(by_default(n + shift), shift)
                }),
            ),
            (
                "cached, by_key",
                stampede(&runtime, rounds, same, |n| plain(by_key(n + shift), shift)),
            ),
            ("moka", moka(&runtime, rounds, same)),
            ("quick_cache", quick_cache(&runtime, rounds, same)),
            ("foyer", foyer(&runtime, rounds, same)),
            threads("dewar, threads", ours_blocking),
            threads("memoize", memoized),
            threads("cachelito", cachelito),
        ];
        runs.row(
            what,
            Unit::Count,
            measured.map(|(name, (_, runs))| (name, runs)).to_vec(),
        );
        times.row(
            what,
            Unit::Time,
            measured.map(|(name, (time, _))| (name, time)).to_vec(),
        );
    }
    Section {
        about: ABOUT,
        tables: vec![runs, times],
    }
}

async fn plain(call: impl Future<Output = u64>, shift: u64) -> u64 {
    call.await - shift
}

fn moka(runtime: &Runtime, rounds: u64, same: bool) -> (Summary, Summary) {
    let cache: moka::future::Cache<u64, u64> = moka::future::Cache::builder()
        .max_capacity(100_000)
        .time_to_live(TIMEOUT)
        .build();
    stampede(runtime, rounds, same, |n| {
        let cache = cache.clone();
        async move { cache.get_with(n, body(n)).await }
    })
}

fn quick_cache(runtime: &Runtime, rounds: u64, same: bool) -> (Summary, Summary) {
    let cache = Arc::new(quick_cache::sync::Cache::<u64, u64>::new(100_000));
    stampede(runtime, rounds, same, |n| {
        let cache = Arc::clone(&cache);
        async move {
            let load = async { Ok::<_, ()>(body(n).await) };
            cache
                .get_or_insert_async(&n, load)
                .await
                .unwrap_or_default()
        }
    })
}

fn foyer(runtime: &Runtime, rounds: u64, same: bool) -> (Summary, Summary) {
    let cache: foyer::Cache<u64, u64> = foyer::CacheBuilder::new(100_000).build();
    stampede(runtime, rounds, same, |n| {
        let cache = cache.clone();
        async move {
            let load = || async move { Ok::<_, std::io::Error>(body(n).await) };
            let entry = cache.get_or_fetch(&n, load).await;
            entry.map(|entry| *entry.value()).unwrap_or_default()
        }
    })
}
