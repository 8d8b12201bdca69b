//! Times hits as it is told to, for the group `observed`, which runs several builds of this side by
//! side: `observed KEYS NANOSECONDS`, and on each line of its input how many threads call at once.
//! It answers each with the nanoseconds of one hit; a turn takes about the time that was named.

use std::hint::black_box;
use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use dewar::cached;
use timing::traces::uniform;
use timing::workers::{Job, Turn, Workers};

/// As many as there are rows for.
const MOST_THREADS: usize = 2;
/// As in the other groups.
const CAPACITY: u64 = 100_000;

/// As the function of the group `hit`.
#[cached(timeout = "1h")]
fn number(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn main() {
    let args: Vec<u64> = std::env::args().skip(1).flat_map(|it| it.parse()).collect();
    let [keys, slice] = args[..] else {
        panic!("usage: observed KEYS NANOSECONDS");
    };
    let cache = dewar::Cache::builder().max_entries(CAPACITY);
    cache.install().expect("the first cache");

    let calls = uniform(keys);
    for key in &*calls {
        black_box(number(*key));
    }
    let job: Job = Arc::new(move |turn: Turn| {
        for at in turn.places() {
            black_box(number(black_box(calls[at])));
        }
    });
    let workers = Workers::new(MOST_THREADS);
    let operations = workers.fitting(&job, Duration::from_nanos(slice));
    for line in std::io::stdin().lock().lines() {
        let threads: usize = line.expect("a line").parse().expect("a number of threads");
        println!(
            "{}",
            workers.warm_time(&job, operations, threads.clamp(1, MOST_THREADS))
        );
    }
    let stats = dewar::Cache::current().stats();
    assert_eq!(stats.loads, keys, "these were to be hits: {stats}");
}
