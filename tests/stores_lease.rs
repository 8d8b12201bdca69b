//! `single_flight = "distributed"`: one load for all processes. Two caches on one store stand for
//! two processes.
#![cfg(feature = "stores")]

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use common::{Gate, Step, until};
use dewar::testing::{FaultyStore, ManualClock, TestCache};
use dewar::{Cache, cached, entry, invalidate};

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
    let now = SOURCE.load(SeqCst);
    begun();
    ids.iter().map(|id| (*id, id * 1000 + now)).collect()
}

#[cached(timeout = 60, refresh_ahead = 0.5, single_flight = "distributed")]
fn ahead(id: u64) -> u64 {
    begun();
    id * 1000 + SOURCE.load(SeqCst)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn process(store: &FaultyStore) -> TestCache {
    let builder = Cache::builder()
        .shared(store.clone())
        .lease(LEASE)
        .memory_copies(LEASE * 100);
    TestCache::with(builder).unwrap()
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
        World {
            one: process(&store),
            other: process(&store),
            store,
            _turn: turn,
        }
    }

    /// One more.
    fn process(&self) -> TestCache {
        process(&self.store)
    }

    /// One process loads, and stays in its body until it is told to go on.
    fn begin(&self) -> (JoinHandle<u64>, Sender<()>) {
        self.begin_with(|| slow(1))
    }

    fn begin_with<T: Send + 'static>(&self, load: fn() -> T) -> (JoinHandle<T>, Sender<()>) {
        self.begin_at(&self.one, load)
    }

    fn begin_at<T: Send + 'static>(
        &self,
        cache: &TestCache,
        load: fn() -> T,
    ) -> (JoinHandle<T>, Sender<()>) {
        let (word, words) = channel();
        let begun = BEGUN.load(SeqCst);
        *lock(&WORDS) = Some(words);
        let cache = cache.clone();
        let first = std::thread::spawn(move || cache.run(load));
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
fn what_is_invalidated_meanwhile_is_neither_waited_for_nor_given_to_others() {
    let world = World::new();
    let (first, word) = world.begin();
    SOURCE.store(2, SeqCst);
    world.other.run(|| invalidate!(slow(1)).wait()).unwrap();
    assert_eq!(world.other.run(|| slow(1)), 1002, "while the old one runs");
    word.send(()).unwrap();
    assert_eq!(first.join().unwrap(), 1001, "its own caller began before");
    assert_eq!(world.process().run(|| slow(1)), 1002);
}

thread_local! {
    static DEPTH: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

#[cached(timeout = 60, single_flight = "distributed")]
fn itself(id: u64) -> u64 {
    match DEPTH.replace(DEPTH.get() + 1) {
        0 => itself(id) + 1,
        _ => id,
    }
}

#[test]
fn a_call_from_within_its_own_load_does_not_wait_for_the_lease_of_that() {
    let world = World::new();
    assert_eq!(world.one.run(|| itself(1)), 2);
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
fn who_waits_is_told_of_the_load_that_is_under_way_since_an_invalidation() {
    let world = World::pushing();
    let (first, word) = world.begin();
    let second = world.ask();
    let third = world.process();
    third.run(|| invalidate!(slow(1)).wait()).unwrap();
    let (third, last) = world.begin_at(&third, || slow(1));
    // The marks of those who wait, on both leases.
    let marks = || {
        let marks = AtomicU64::new(0);
        world.store.damage(":l:", |token| {
            marks.fetch_add(u64::from(token.len() == 9), SeqCst);
        });
        marks.into_inner()
    };
    assert!(until(|| marks() == 1));
    world.other.advance(Duration::from_secs(1));
    assert!(until(|| marks() == 2), "it waits for the other load");
    last.send(()).unwrap();
    third.join().unwrap();
    assert!(until(|| second.is_finished()), "it was told");
    word.send(()).unwrap();
    first.join().unwrap();
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
        assert_eq!(values, HashMap::from([(2, 2001), (3, 3001), (4, 4001)]));
        assert_eq!(*lock(&ASKED), [vec![1, 2, 3], vec![4]]);
    }
}

#[test]
fn a_batch_waits_for_a_process_that_is_stuck_as_long_as_the_lease_and_no_longer() {
    let world = World::new();
    let (first, word) = world.begin_with(|| many(&[1]));
    let second = world.ask_for(|| many(&[1]));
    assert_eq!(world.pass(second), HashMap::from([(1, 1001)]));
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

#[test]
fn what_a_process_brings_that_stood_still_does_not_take_the_place_of_what_is_newer() {
    for world in [World::new, World::pushing] {
        let world = world();
        let (first, word) = world.begin();
        let second = world.ask();
        SOURCE.store(2, SeqCst);
        assert_eq!(world.pass(second), 1002, "it has waited for long enough");
        word.send(()).unwrap();
        assert_eq!(first.join().unwrap(), 1002, "it is given what is newer");
        assert_eq!((world.one.stats().loads, world.other.stats().loads), (1, 1));
        assert_eq!(world.one.run(|| slow(1)), 1002);
        assert_eq!(world.process().run(|| slow(1)), 1002);
        assert_eq!(BEGUN.load(SeqCst), 2);
    }
}

#[test]
fn of_a_batch_that_stood_still_only_what_nobody_else_has_loaded_is_stored() {
    let world = World::new();
    let (first, word) = world.begin_with(|| many(&[1, 2]));
    let second = world.ask_for(|| many(&[1]));
    SOURCE.store(2, SeqCst);
    assert_eq!(world.pass(second), HashMap::from([(1, 1002)]));
    word.send(()).unwrap();
    let both = HashMap::from([(1, 1002), (2, 2001)]);
    assert_eq!(first.join().unwrap(), both);
    assert_eq!(world.one.run(|| many(&[1, 2])), both);
    assert_eq!(world.process().run(|| many(&[1, 2])), both);
    assert_eq!(lock(&ASKED).len(), 2);
}

#[test]
fn a_load_that_took_longer_than_the_lease_is_stored_if_nobody_else_has_loaded() {
    let world = World::new();
    let (first, word) = world.begin();
    world.store.forget_keys(":l:");
    word.send(()).unwrap();
    assert_eq!(first.join().unwrap(), 1001);
    assert_eq!(world.other.run(|| slow(1)), 1001);
    assert_eq!(BEGUN.load(SeqCst), 1);
}

#[test]
fn the_last_to_have_begun_is_stored_even_if_an_older_load_was_faster() {
    let world = World::new();
    let (first, word) = world.begin();
    world.store.forget_keys(":l:");
    SOURCE.store(2, SeqCst);
    let (second, other_word) = world.begin_at(&world.other, || slow(1));
    word.send(()).unwrap();
    assert_eq!(first.join().unwrap(), 1001, "there was nothing newer yet");
    other_word.send(()).unwrap();
    assert_eq!(second.join().unwrap(), 1002);
    assert_eq!(world.process().run(|| slow(1)), 1002);
}

#[test]
fn a_refresh_that_was_asked_for_is_not_undone_by_a_load_that_began_before_it() {
    let world = World::new();
    let (first, word) = world.begin();
    SOURCE.store(2, SeqCst);
    assert_eq!(world.other.run(|| entry!(slow(1)).refresh()), 1002);
    word.send(()).unwrap();
    assert_eq!(first.join().unwrap(), 1002);
    assert_eq!(world.process().run(|| slow(1)), 1002);
}

#[test]
fn of_those_whose_wait_is_over_one_goes_on_for_the_others() {
    let clock = ManualClock::new();
    let world = World::on(FaultyStore::with_clock(clock.clone()));
    let (first, word) = world.begin();
    let second = world.ask();
    clock.advance(LEASE - Duration::from_secs(1));
    let (other_word, words) = channel();
    *lock(&WORDS) = Some(words);
    assert!(until(|| {
        world.other.advance(Duration::from_millis(100));
        BEGUN.load(SeqCst) == 2
    }));
    // The lease of the first would be over by now; it is the second's.
    clock.advance(Duration::from_secs(2));
    let third = world.process();
    let later = std::thread::spawn({
        let third = third.clone();
        move || third.run(|| slow(1))
    });
    assert!(until(
        || third.stats().coalesced == 1 || BEGUN.load(SeqCst) > 2
    ));
    other_word.send(()).unwrap();
    assert_eq!(second.join().unwrap(), 1001);
    assert!(until(|| {
        third.advance(Duration::from_millis(100));
        later.is_finished()
    }));
    assert_eq!((world.other.stats().loads, third.stats().loads), (1, 0));
    word.send(()).unwrap();
    first.join().unwrap();
}

#[test]
fn what_came_between_the_look_at_the_store_and_the_lease_is_taken() {
    let world = World::new();
    let gate = Gate::before(world.store.clone());
    let late = TestCache::with(Cache::builder().shared(gate.clone()).lease(LEASE)).unwrap();
    gate.shut(Step::Lease);
    let second = std::thread::spawn({
        let late = late.clone();
        move || late.run(|| (slow(1), many(&[1])))
    });
    assert!(until(|| gate.is_waited_at()));
    // Meanwhile another process loads, and gives its leases back.
    assert_eq!(world.one.run(|| slow(1)), 1001);
    gate.pass();
    assert!(until(|| gate.is_waited_at()), "the batch");
    assert_eq!(world.one.run(|| many(&[1])), HashMap::from([(1, 1001)]));
    gate.open();
    assert_eq!(second.join().unwrap(), (1001, HashMap::from([(1, 1001)])));
    assert_eq!((late.stats().loads, late.stats().fetched), (0, 2));
    assert_eq!(BEGUN.load(SeqCst), 2);
}
