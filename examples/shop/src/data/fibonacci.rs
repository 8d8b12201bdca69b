//! Fibonacci numbers, with and without a cache.

use std::time::{Duration, Instant};

use dewar::{Cache, cached};
use serde::Serialize;

/// The largest number that is worked out without a cache: each more takes 1.6 times as long.
pub const PLAIN: u32 = 35;
/// The last one that fits into 64 bits.
pub const LARGEST: u32 = 93;

/// How one way of working it out went.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The number.
    pub value: u64,
    /// How many times the function's body was run.
    pub bodies: u64,
    /// How long it took.
    #[serde(skip)]
    pub took: Duration,
    /// The same in microseconds.
    pub micros: f64,
}

/// What a benchmark found.
#[derive(Clone, Debug, Serialize)]
pub struct Benchmark {
    /// Which number.
    pub n: u32,
    /// Without a cache, unless it would take too long.
    pub plain: Option<Run>,
    /// With a cache that is empty.
    pub cold: Run,
    /// Once more, with what that cache holds then.
    pub warm: Run,
}

/// Works out a Fibonacci number in each way, cold each time: in a cache of its own.
///
/// # Errors
/// The cache could not be made.
pub fn benchmark(n: u32) -> Result<Benchmark, dewar::Error> {
    let cache = Cache::builder()
        .name("benchmark")
        .max_entries(1_000)
        .build()?;
    let plain = (n <= PLAIN).then(|| {
        let mut bodies = 0;
        let (value, took) = timed(|| plain(n, &mut bodies));
        Run::new(value, bodies, took)
    });
    let in_cache = || {
        let before = cache.stats().loads;
        let (value, took) = timed(|| cache.scope_blocking(|| remembered(n)));
        Run::new(value, cache.stats().loads - before, took)
    };
    Ok(Benchmark {
        n,
        plain,
        cold: in_cache(),
        warm: in_cache(),
    })
}

impl Run {
    fn new(value: u64, bodies: u64, took: Duration) -> Self {
        let micros = took.as_nanos() as f64 / 1e3;
        Run {
            value,
            bodies,
            took,
            micros,
        }
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let value = run();
    (value, started.elapsed())
}

fn plain(n: u32, bodies: &mut u64) -> u64 {
    *bodies += 1;
    match n {
        0 | 1 => u64::from(n),
        _ => plain(n - 1, bodies) + plain(n - 2, bodies),
    }
}

#[cached(timeout = never)]
fn remembered(n: u32) -> u64 {
    match n {
        0 | 1 => u64::from(n),
        _ => remembered(n - 1) + remembered(n - 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_agree_and_the_cache_runs_each_body_once() {
        let found = benchmark(20).unwrap();
        let plain = found.plain.unwrap();
        assert_eq!([plain.value, found.cold.value, found.warm.value], [6765; 3]);
        assert_eq!(
            (plain.bodies, found.cold.bodies, found.warm.bodies),
            (21_891, 21, 0)
        );
        assert_eq!(
            benchmark(LARGEST).unwrap().cold.value,
            12_200_160_415_121_876_738
        );
    }
}
