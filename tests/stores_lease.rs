//! `single_flight = "distributed"`: one load for all processes. Two caches on one store stand for
//! two processes.
#![cfg(feature = "stores")]

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, cached, invalidate};

const LEASE: Duration = Duration::from_secs(10);

/// Loads wait for a word, and say when they have begun.
static WORDS: Mutex<Option<Receiver<()>>> = Mutex::new(None);
static BEGUN: AtomicU64 = AtomicU64::new(0);
static SOURCE: AtomicU64 = AtomicU64::new(0);

#[cached(timeout = 60, single_flight = "distributed", key_prefix = "slow")]
fn slow(id: u64) -> u64 {
    let value = id * 1000 + SOURCE.load(SeqCst);
    BEGUN.fetch_add(1, SeqCst);
    let words = WORDS.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(words) = words {
        assert!(words.recv().is_ok(), "the process dies");
    }
    value
}

struct World {
    store: FaultyStore,
    one: TestCache,
    other: TestCache,
    _turn: std::sync::MutexGuard<'static, ()>,
}

impl World {
    fn new() -> World {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        BEGUN.store(0, SeqCst);
        SOURCE.store(1, SeqCst);
        let store = FaultyStore::new();
        let process = || {
            let builder = Cache::builder().shared(store.clone()).lease(LEASE);
            TestCache::with(builder).unwrap()
        };
        World {
            one: process(),
            other: process(),
            store,
            _turn: turn,
        }
    }

    /// One process loads, and stays in its body until it is told to go on.
    fn begin(&self) -> (JoinHandle<u64>, Sender<()>) {
        let (word, words) = channel();
        *WORDS.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
        let one = self.one.clone();
        let first = std::thread::spawn(move || one.run(|| slow(1)));
        while BEGUN.load(SeqCst) == 0 {
            std::thread::yield_now();
        }
        (first, word)
    }

    /// The other one asks, and finds that it has to wait.
    fn ask(&self) -> JoinHandle<u64> {
        let other = self.other.clone();
        let second = std::thread::spawn(move || other.run(|| slow(1)));
        while self.other.stats().coalesced == 0 {
            std::thread::yield_now();
        }
        second
    }

    /// Lets time go by for the one that waits, until it has its answer.
    fn pass(&self, second: JoinHandle<u64>) -> u64 {
        while !second.is_finished() {
            self.other.advance(Duration::from_millis(100));
            std::thread::sleep(Duration::from_millis(1));
        }
        second.join().unwrap()
    }
}

#[test]
fn of_two_processes_one_loads_and_the_other_is_given_that() {
    let world = World::new();
    let (first, word) = world.begin();
    let second = world.ask();
    word.send(()).unwrap();
    assert_eq!(first.join().unwrap(), 1001);
    assert_eq!(world.pass(second), 1001);
    assert_eq!((world.one.stats().loads, world.other.stats().loads), (1, 0));
    assert!(world.other.clock().elapsed() < LEASE);
}

#[test]
fn a_process_that_is_stuck_delays_the_others_by_the_lease_and_no_more() {
    let world = World::new();
    let (first, word) = world.begin();
    let second = world.ask();
    assert_eq!(world.pass(second), 1001);
    let waited = world.other.clock().elapsed();
    assert!(waited >= LEASE && waited < LEASE * 2, "{waited:?}");
    assert_eq!(world.other.stats().loads, 1);
    word.send(()).unwrap();
    first.join().unwrap();
}

#[test]
fn a_load_that_panics_gives_its_lease_back() {
    let world = World::new();
    let (first, word) = world.begin();
    let second = world.ask();
    drop(word);
    assert!(first.join().is_err());
    assert_eq!(world.pass(second), 1001);
    assert!(world.other.clock().elapsed() < LEASE);
    assert_eq!(world.other.stats().loads, 1);
}

#[test]
fn what_is_invalidated_meanwhile_is_not_what_the_others_are_given() {
    let world = World::new();
    let (first, word) = world.begin();
    SOURCE.store(2, SeqCst);
    world.other.run(|| invalidate!(slow(1)).wait()).unwrap();
    let second = world.ask();
    word.send(()).unwrap();
    assert_eq!(first.join().unwrap(), 1001, "its own caller began before");
    assert_eq!(world.pass(second), 1002);
}

#[test]
fn a_store_that_fails_keeps_nobody_waiting() {
    let world = World::new();
    world.store.fail(true);
    assert_eq!(world.one.run(|| slow(2)), 2001);
    assert_eq!(world.other.run(|| slow(2)), 2001);
    assert_eq!(BEGUN.load(SeqCst), 2);
}
