//! `single_flight = "distributed"`: one load for all processes. Two caches on one store stand for
//! two processes.
#![cfg(feature = "stores")]

use std::collections::HashMap;
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

/// A load has begun, and ends when it is told to.
fn begun() {
    BEGUN.fetch_add(1, SeqCst);
    let words = lock(&WORDS).take();
    if let Some(words) = words {
        assert!(words.recv().is_ok(), "the process dies");
    }
}

#[cached(timeout = 60, single_flight = "distributed", key_prefix = "slow")]
fn slow(id: u64) -> u64 {
    let value = id * 1000 + SOURCE.load(SeqCst);
    begun();
    value
}

/// What the runs of a batch were asked for.
static ASKED: Mutex<Vec<Vec<u64>>> = Mutex::new(Vec::new());

#[cached(timeout = 60, single_flight = "distributed", batch = ids)]
fn many(ids: &[u64]) -> HashMap<u64, u64> {
    let mut asked = ids.to_vec();
    asked.sort_unstable();
    lock(&ASKED).push(asked);
    begun();
    ids.iter().map(|id| (*id, id * 1000)).collect()
}

#[cached(timeout = 60, refresh_ahead = 0.5, single_flight = "distributed")]
fn ahead(id: u64) -> u64 {
    begun();
    id * 1000 + SOURCE.load(SeqCst)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct World {
    store: FaultyStore,
    one: TestCache,
    other: TestCache,
    _turn: std::sync::MutexGuard<'static, ()>,
}

impl World {
    fn new() -> World {
        World::on(FaultyStore::new())
    }

    /// Both hear each other.
    fn pushing() -> World {
        let world = World::on(FaultyStore::pushing());
        for cache in [&world.one, &world.other] {
            while cache.store_status().and_then(|status| status.push) != Some(true) {
                std::thread::yield_now();
            }
        }
        world
    }

    fn on(store: FaultyStore) -> World {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        BEGUN.store(0, SeqCst);
        SOURCE.store(1, SeqCst);
        lock(&ASKED).clear();
        let process = || {
            let builder = Cache::builder()
                .shared(store.clone())
                .lease(LEASE)
                .memory_copies(LEASE * 100);
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
        self.begin_with(|| slow(1))
    }

    fn begin_with<T: Send + 'static>(&self, load: fn() -> T) -> (JoinHandle<T>, Sender<()>) {
        let (word, words) = channel();
        let begun = BEGUN.load(SeqCst);
        *lock(&WORDS) = Some(words);
        let one = self.one.clone();
        let first = std::thread::spawn(move || one.run(load));
        while BEGUN.load(SeqCst) == begun {
            std::thread::yield_now();
        }
        (first, word)
    }

    /// The other one asks, and finds that it has to wait.
    fn ask(&self) -> JoinHandle<u64> {
        self.ask_for(|| slow(1))
    }

    fn ask_for<T: Send + 'static>(&self, load: fn() -> T) -> JoinHandle<T> {
        let other = self.other.clone();
        let second = std::thread::spawn(move || other.run(load));
        while self.other.stats().coalesced == 0 {
            std::thread::yield_now();
        }
        second
    }

    /// Lets time go by for the one that waits, until it has its answer.
    fn pass<T>(&self, second: JoinHandle<T>) -> T {
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

#[test]
fn who_waits_is_told_where_the_store_can_push() {
    let world = World::pushing();
    let (first, word) = world.begin();
    let second = world.ask();
    // It has left its mark, and looks no more: no clock moves.
    std::thread::sleep(Duration::from_millis(20));
    word.send(()).unwrap();
    assert_eq!(first.join().unwrap(), 1001);
    assert_eq!(second.join().unwrap(), 1001);
    assert_eq!((world.one.stats().loads, world.other.stats().loads), (1, 0));
}

#[test]
fn who_waits_is_told_of_a_load_that_panicked() {
    let world = World::pushing();
    let (first, word) = world.begin();
    let second = world.ask();
    drop(word);
    assert!(first.join().is_err());
    assert_eq!(second.join().unwrap(), 1001);
    assert_eq!(world.other.stats().loads, 1);
}

#[test]
fn two_batches_that_overlap_load_no_key_twice() {
    for world in [World::new, World::pushing] {
        let world = world();
        let (first, word) = world.begin_with(|| many(&[1, 2, 3]));
        let second = world.ask_for(|| many(&[2, 3, 4]));
        while lock(&ASKED).len() < 2 {
            std::thread::yield_now();
        }
        word.send(()).unwrap();
        assert_eq!(first.join().unwrap().len(), 3);
        let values = world.pass(second);
        assert_eq!(values, HashMap::from([(2, 2000), (3, 3000), (4, 4000)]));
        assert_eq!(*lock(&ASKED), [vec![1, 2, 3], vec![4]]);
    }
}

#[test]
fn a_batch_waits_for_a_process_that_is_stuck_as_long_as_the_lease_and_no_longer() {
    let world = World::new();
    let (first, word) = world.begin_with(|| many(&[1]));
    let second = world.ask_for(|| many(&[1]));
    assert_eq!(world.pass(second), HashMap::from([(1, 1000)]));
    let waited = world.other.clock().elapsed();
    assert!(waited >= LEASE && waited < LEASE * 2, "{waited:?}");
    word.send(()).unwrap();
    first.join().unwrap();
}

#[test]
fn a_background_refresh_is_left_to_the_process_that_does_it() {
    let world = World::new();
    let all = [&world.one, &world.other];
    for cache in all {
        assert_eq!(cache.run(|| ahead(1)), 1001);
    }
    SOURCE.store(2, SeqCst);
    let (word, words) = channel();
    *lock(&WORDS) = Some(words);
    for cache in all {
        let before = world.store.operations();
        cache.advance(Duration::from_secs(31));
        assert_eq!(cache.run(|| ahead(1)), 1001, "nobody waits for a refresh");
        // What the store has, and the lease twice: taken, or given back by somebody.
        while world.store.operations() < before + 2 || BEGUN.load(SeqCst) < 2 {
            std::thread::yield_now();
        }
    }
    let asked = world.store.operations();
    word.send(()).unwrap();
    while world.one.stats().loads < 2 {
        std::thread::yield_now();
    }
    assert_eq!((BEGUN.load(SeqCst), world.other.stats().loads), (2, 0));
    let takes_it = || world.other.run(|| ahead(1)) == 1002;
    while !takes_it() {
        world.other.advance(Duration::from_millis(100));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(world.store.operations() > asked);
    assert_eq!((BEGUN.load(SeqCst), world.other.stats().loads), (2, 0));
}
