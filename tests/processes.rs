//! Four processes, one store: random reads, loads and invalidations, while the server is killed,
//! restarted, paused and emptied. Every read is checked against what had been confirmed before it
//! began.
//!
//! `DEWAR_TEST_SECONDS=60 cargo test --all-features --test processes -- --nocapture` runs it for a
//! minute on each store and shows the figures.
#![cfg(all(feature = "redis", feature = "memcached", feature = "database"))]

#[path = "servers/origin.rs"]
mod origin;
mod servers;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dewar::{Cache, cached, invalidate};
use origin::{Origin, open};
use servers::{Directory, until};

const PROCESSES: u64 = 4;
const KEYS: u64 = 40;
/// What `memory_copies` is set to: how late an invalidation may be seen while nobody can be told.
const BOUND: Duration = Duration::from_millis(1000);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(1500);

/// The data behind the cache, and what was confirmed: files that all processes see.
#[derive(Clone)]
struct World(PathBuf);

impl World {
    fn put(&self, name: &str, key: u64, text: &str) {
        let path = self.0.join(format!("{name}-{key}"));
        let new = self.0.join(format!("new-{name}-{key}"));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, path).unwrap();
    }

    fn get(&self, name: &str, key: u64) -> Option<String> {
        std::fs::read_to_string(self.0.join(format!("{name}-{key}"))).ok()
    }

    fn source(&self, key: u64) -> u64 {
        let text = self.get("source", key);
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The versions whose invalidation was confirmed, the last ones, and when.
    fn confirmed(&self, key: u64) -> Vec<(u64, Duration)> {
        let text = self.get("confirmed", key).unwrap_or_default();
        let line = |line: &str| {
            let (version, at) = line.split_once(' ')?;
            let at = Duration::from_nanos(at.parse().ok()?);
            Some((version.parse().ok()?, at))
        };
        text.lines().filter_map(line).collect()
    }

    /// Adds one; each key has one process that does.
    fn confirm(&self, key: u64, version: u64) {
        let mut all = self.confirmed(key);
        all.push((version, now()));
        let last = &all[all.len().saturating_sub(40)..];
        let line = |(version, at): &(u64, Duration)| format!("{version} {}\n", at.as_nanos());
        self.put("confirmed", key, &last.iter().map(line).collect::<String>());
    }

    fn is(&self, what: &str) -> bool {
        self.0.join(what).exists()
    }

    fn say(&self, what: &str) {
        std::fs::write(self.0.join(what), "").unwrap();
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn world() -> World {
    World(std::env::var("DEWAR_TEST_WORLD").unwrap_or_default().into())
}

#[cached(timeout = 600, key_prefix = "value:{key}", tags("third:{third}"))]
fn value(key: u64, third: u64) -> u64 {
    let world = world();
    let value = world.source(key);
    std::thread::sleep(Duration::from_micros(300));
    value
}

/// What one process has seen.
#[derive(Default)]
struct Seen {
    reads: u64,
    /// Older than what had been confirmed, within the bound.
    late: u64,
    latest: Duration,
    confirmed: u64,
    unconfirmed: u64,
}

/// One of the four; it is nothing when the tests are run as a whole.
#[test]
fn worker() {
    let Ok(me) = std::env::var("DEWAR_TEST_WORKER") else {
        return;
    };
    let me: u64 = me.parse().unwrap();
    let (world, url) = (world(), std::env::var("DEWAR_TEST_URL").unwrap());
    let cache = Cache::builder()
        .shared(open(&url))
        .memory_copies(BOUND)
        .store_timeout(Duration::from_millis(100))
        .install()
        .unwrap();
    let mut seen = Seen::default();
    let mut random = me * 7919 + 1;
    while !world.is("quiet") {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
        let key = (random >> 33) % KEYS;
        match (random >> 20) % 50 {
            0 => change(&world, key - key % PROCESSES + me, random, &mut seen),
            _ => check(&world, key, &mut seen),
        }
    }
    let quiet = || cache.store_status().unwrap().undelivered == 0;
    assert!(until(quiet), "not everything was delivered");
    world.say(&format!("delivered-{me}"));
    assert!(until(
        || (0..PROCESSES).all(|n| world.is(&format!("delivered-{n}")))
    ));
    std::thread::sleep(BOUND);
    for key in 0..KEYS {
        assert!(
            until(|| value(key, key % 3) == world.source(key)),
            "key {key} is {} and was {} in the source",
            value(key, key % 3),
            world.source(key)
        );
    }
    let stats = cache.stats();
    println!(
        "figures: {} reads, {} late ({:.1} per million), the latest by {:?}; {} confirmed and {} \
         unconfirmed invalidations; {} loads, {} fetched, {} messages, {} store errors",
        seen.reads,
        seen.late,
        seen.late as f64 * 1e6 / seen.reads as f64,
        seen.latest,
        seen.confirmed,
        seen.unconfirmed,
        stats.loads,
        stats.fetched,
        stats.messages,
        stats.store_errors
    );
}

/// Changes one of this process' own keys, and invalidates it in one way or another.
fn change(world: &World, key: u64, random: u64, seen: &mut Seen) {
    let version = world.source(key) + 1;
    world.put("source", key, &version.to_string());
    let third = key % 3;
    let done = match (random >> 10) % 3 {
        0 => invalidate!(value(key, third)).wait(),
        1 => invalidate!(prefix = "value:{key}").wait(),
        _ => invalidate!(tag = "third:{third}").wait(),
    };
    match done {
        Ok(()) => {
            world.confirm(key, version);
            seen.confirmed += 1;
        }
        Err(_) => seen.unconfirmed += 1,
    }
    assert_eq!(value(key, third), version, "at once where it was made");
}

/// Reads a key, and looks whether that is what it may be.
fn check(world: &World, key: u64, seen: &mut Seen) {
    let begun = now();
    let confirmed = world.confirmed(key);
    let read = value(key, key % 3);
    seen.reads += 1;
    let newer = confirmed.iter().find(|(version, _)| read < *version);
    if let Some((version, at)) = newer {
        let late = begun.saturating_sub(*at);
        seen.late += 1;
        seen.latest = seen.latest.max(late);
        assert!(
            late <= BOUND + SLACK,
            "key {key}: {read} was served {late:?} after {version} had been confirmed"
        );
    }
}

fn start(world: &Path, url: &str, me: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker", "--nocapture"])
        .env("DEWAR_TEST_WORKER", me.to_string())
        .env("DEWAR_TEST_WORLD", world)
        .env("DEWAR_TEST_URL", url)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// One thing after the other goes wrong with the server.
fn trouble(server: &mut Origin, number: u64) {
    let pause = |millis| std::thread::sleep(Duration::from_millis(millis));
    match number % 3 {
        0 => {
            server.kill();
            pause(500);
            server.run();
        }
        1 => {
            server.pause();
            pause(700);
            server.resume();
        }
        _ => server.forget(),
    }
}

fn no_invalidation_is_lost_and_none_is_later_than_the_bound(mut server: Origin) {
    // One after the other: each wants the machine to itself.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let seconds = std::env::var("DEWAR_TEST_SECONDS").ok();
    let seconds: u64 = seconds.and_then(|text| text.parse().ok()).unwrap_or(5);
    let directory = Directory::new();
    let world = World(directory.path().to_owned());
    let url = server.url();
    let workers: Vec<Child> = (0..PROCESSES)
        .map(|me| start(directory.path(), &url, me))
        .collect();
    let begun = Instant::now();
    let mut number = 0;
    while begun.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_millis(1200));
        trouble(&mut server, number);
        number += 1;
    }
    world.say("quiet");
    for worker in workers {
        let output = worker.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{errors}");
        for line in text.lines().filter(|line| line.contains("figures: ")) {
            println!("{url}: {line}");
        }
    }
}

#[test]
fn on_redis_no_invalidation_is_lost_and_none_is_later_than_the_bound() {
    no_invalidation_is_lost_and_none_is_later_than_the_bound(Origin::redis());
}

#[test]
fn on_memcached_no_invalidation_is_lost_and_none_is_later_than_the_bound() {
    no_invalidation_is_lost_and_none_is_later_than_the_bound(Origin::memcached());
}

#[test]
fn on_postgres_no_invalidation_is_lost_and_none_is_later_than_the_bound() {
    no_invalidation_is_lost_and_none_is_later_than_the_bound(Origin::postgres());
}
