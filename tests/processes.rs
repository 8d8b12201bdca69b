//! Four processes, one store: random reads, loads, changes and invalidations by whatever way there
//! is, while the server is killed, restarted, paused and emptied. Every read is checked against what
//! had been confirmed before it began.
//!
//! `DEWAR_TEST_SECONDS=60 cargo test --all-features --test processes -- --nocapture` runs it for a
//! minute on each store and shows the figures.
#![cfg(all(feature = "redis", feature = "memcached", feature = "database"))]

#[path = "processes/counts.rs"]
mod counts;
#[path = "processes/keys.rs"]
mod keys;
#[path = "servers/origin.rs"]
mod origin;
mod servers;
#[path = "processes/worker.rs"]
mod worker;
#[path = "processes/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use origin::Origin;
use servers::Directory;
use world::World;

const PROCESSES: u64 = 4;
/// Of each process.
const THREADS: u64 = 2;
/// What `memory_copies` is set to: how late an invalidation may be seen while nobody can be told.
const BOUND: Duration = Duration::from_millis(1000);
/// How long there is no trouble at the end.
const CALM: Duration = Duration::from_millis(2000);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(1500);

/// One of the four; it is nothing when the tests are run as a whole.
#[test]
fn worker() {
    if let Ok(me) = std::env::var("DEWAR_TEST_WORKER") {
        worker::run(
            me.parse().unwrap(),
            &std::env::var("DEWAR_TEST_URL").unwrap(),
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
fn trouble(server: &mut Origin, world: &World, number: u64) {
    let pause = |millis| std::thread::sleep(Duration::from_millis(millis));
    match number % 3 {
        0 => world.losing(|| {
            server.kill();
            pause(500);
            server.run();
        }),
        1 => {
            server.pause();
            pause(700);
            server.resume();
        }
        _ => world.losing(|| server.forget()),
    }
}

fn no_invalidation_is_lost_and_none_is_later_than_the_bound(mut server: Origin) {
    // One after the other: each wants the machine to itself.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let seconds = std::env::var("DEWAR_TEST_SECONDS").ok();
    let seconds: u64 = seconds.and_then(|text| text.parse().ok()).unwrap_or(5);
    let directory = Directory::new();
    let world = World::at(directory.path());
    let url = server.url();
    let workers: Vec<Child> = (0..PROCESSES)
        .map(|me| start(directory.path(), &url, me))
        .collect();
    let begun = Instant::now();
    let mut number = 0;
    while begun.elapsed() < Duration::from_secs(seconds) && !world.is("quiet") {
        // Now and then for long enough that what is late has nothing to be set right by.
        std::thread::sleep(match number % 4 {
            3 => CALM + BOUND + SLACK,
            _ => Duration::from_millis(1200),
        });
        trouble(&mut server, &world, number);
        number += 1;
    }
    std::thread::sleep(CALM);
    world.say("quiet");
    let (mut figures, mut failures) = (Figures::default(), String::new());
    for worker in workers {
        let output = worker.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            failures += &String::from_utf8_lossy(&output.stderr);
        }
        text.lines().for_each(|line| figures.add(line));
    }
    assert!(failures.is_empty(), "{failures}");
    println!("{url}: {:?}", figures.0);
    counts::judge(&world);
    worker::judge(&world);
}

/// What all processes together have seen.
#[derive(Default)]
struct Figures(BTreeMap<String, u64>);

impl Figures {
    fn add(&mut self, line: &str) {
        let Some((_, line)) = line.split_once("figures: ") else {
            return;
        };
        for word in line.split(' ') {
            let (name, number) = word.split_once('=').unwrap();
            let number: u64 = number.parse().unwrap();
            let all = self.0.entry(name.to_owned()).or_default();
            *all = match name.ends_with("_ms") {
                true => number.max(*all),
                false => *all + number,
            };
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
