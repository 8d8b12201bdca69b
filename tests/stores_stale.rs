//! Values past their timeout on a shared store: good for processes that have none in memory. Caches
//! on one store stand for processes.
#![cfg(feature = "stores")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use dewar::testing::{FaultyStore, ManualClock, TestCache};
use dewar::{Cache, cached, invalidate};

static SOURCE: AtomicU64 = AtomicU64::new(0);
static DOWN: AtomicBool = AtomicBool::new(false);

fn source() -> Result<u64, String> {
    match DOWN.load(SeqCst) {
        true => Err("down".into()),
        false => Ok(SOURCE.load(SeqCst)),
    }
}

#[cached(timeout = 60, stale_if_error = 600, key_prefix = "kept", tags("kept"))]
fn kept(id: u64) -> Result<u64, String> {
    source().map(|source| id * 1000 + source)
}

#[cached(timeout = 60, stale_while_revalidate = 600)]
fn revalidated(id: u64) -> Result<u64, String> {
    source().map(|source| id * 1000 + source)
}

#[cached(timeout = 60, stale_if_error = 600)]
fn undone(id: u64) -> Result<u64, String> {
    if DOWN.load(SeqCst) {
        let invalidated = invalidate!(undone(id)).wait();
        assert!(invalidated.is_ok());
    }
    source().map(|source| id * 1000 + source)
}

#[cached(timeout = 60, stale_if_error = 600, batch = ids)]
fn many(ids: &[u64]) -> Result<HashMap<u64, u64>, String> {
    let source = source()?;
    Ok(ids.iter().map(|id| (*id, id * 1000 + source)).collect())
}

#[cached(timeout = 100, refresh_ahead = 0.8)]
fn ahead(id: u64) -> u64 {
    id * 1000 + SOURCE.load(SeqCst)
}

struct World {
    store: FaultyStore,
    now: ManualClock,
    copies: Duration,
    _turn: std::sync::MutexGuard<'static, ()>,
}

impl World {
    fn new() -> World {
        static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let turn = TURN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        SOURCE.store(1, SeqCst);
        DOWN.store(false, SeqCst);
        let now = ManualClock::new();
        World {
            store: FaultyStore::with_clock(now.clone()),
            now,
            copies: Duration::from_secs(5),
            _turn: turn,
        }
    }

    /// A process that starts now, with nothing in memory.
    fn process(&self) -> TestCache {
        let builder = Cache::builder()
            .shared(self.store.clone())
            .memory_copies(self.copies);
        let process = TestCache::with(builder).expect("these settings are accepted");
        process.advance(self.now.elapsed());
        process
    }

    fn pass(&self, seconds: u64) {
        self.now.advance(Duration::from_secs(seconds));
    }
}

fn fail(source: bool) {
    DOWN.store(source, SeqCst);
}

#[test]
fn a_process_with_an_empty_memory_serves_what_the_store_has_when_its_load_fails() {
    for copies in [0, 5] {
        let mut world = World::new();
        world.copies = Duration::from_secs(copies);
        world.process().run(|| kept(1)).unwrap();
        world.pass(659);
        fail(true);
        let fresh = world.process();
        assert_eq!(fresh.run(|| kept(1)), Ok(1001));
        assert_eq!(fresh.stats().fallbacks, 1);
        assert_eq!(fresh.stats().load_errors, 1, "it was tried");
        world.pass(1);
        assert!(world.process().run(|| kept(1)).is_err(), "for so long");
    }
}

#[test]
fn a_value_that_has_expired_is_loaded_again_where_that_is_possible() {
    let world = World::new();
    world.process().run(|| kept(1)).unwrap();
    world.pass(61);
    SOURCE.store(2, SeqCst);
    assert_eq!(world.process().run(|| kept(1)), Ok(1002));
    assert_eq!(world.process().run(|| kept(1)), Ok(1002));
}

#[test]
fn a_load_that_failed_is_not_tried_again_at_once() {
    let world = World::new();
    world.process().run(|| kept(1)).unwrap();
    world.pass(61);
    fail(true);
    let fresh = world.process();
    for _ in 0..10 {
        assert_eq!(fresh.run(|| kept(1)), Ok(1001));
    }
    assert_eq!(fresh.stats().load_errors, 1);
}

#[test]
fn an_invalidated_value_is_not_stale_but_wrong() {
    type Order = fn() -> dewar::Invalidated;
    let orders: [(&str, Order); 5] = [
        ("key", || invalidate!(kept(1))),
        ("function", || invalidate!(kept)),
        ("tag", || invalidate!(tag = "kept")),
        ("prefix", || invalidate!(prefix = "kept")),
        ("everything", || invalidate!(all)),
    ];
    for (name, order) in orders {
        for seconds in [0, 61] {
            let world = World::new();
            world.process().run(|| kept(1)).unwrap();
            world.pass(seconds);
            world.process().run(|| order().wait()).unwrap();
            fail(true);
            world.pass(61);
            assert!(world.process().run(|| kept(1)).is_err(), "{name}");
        }
    }
}

#[test]
fn a_value_that_is_invalidated_while_its_load_runs_does_not_stand_in_for_it() {
    for copies in [0, 5] {
        let mut world = World::new();
        world.copies = Duration::from_secs(copies);
        world.process().run(|| undone(1)).unwrap();
        world.pass(61);
        fail(true);
        assert!(world.process().run(|| undone(1)).is_err());
    }
}

#[test]
fn while_it_is_revalidated_an_empty_memory_serves_what_the_store_has() {
    let world = World::new();
    world.process().run(|| revalidated(1)).unwrap();
    world.pass(61);
    SOURCE.store(2, SeqCst);
    let fresh = world.process();
    assert_eq!(fresh.run(|| revalidated(1)), Ok(1001), "at once");
    while fresh.stats().stores == 0 {
        std::thread::yield_now();
    }
    assert_eq!(fresh.run(|| revalidated(1)), Ok(1002), "in the background");
    assert_eq!(fresh.stats().loads, 1);
}

#[test]
fn of_a_batch_too() {
    let world = World::new();
    world.process().run(|| many(&[1, 2])).unwrap();
    world.pass(61);
    fail(true);
    let both = Ok(HashMap::from([(1, 1001), (2, 2001)]));
    assert_eq!(world.process().run(|| many(&[1, 2])), both);
    assert!(world.process().run(|| many(&[2, 3])).is_err(), "one is new");
}

#[test]
fn a_refresh_takes_what_another_process_has_refreshed() {
    let world = World {
        copies: Duration::from_secs(1000),
        ..World::new()
    };
    let (one, other) = (world.process(), world.process());
    one.run(|| ahead(1));
    other.run(|| ahead(1));
    for seconds in [85, 1] {
        world.pass(seconds);
        one.advance(Duration::from_secs(seconds));
        other.advance(Duration::from_secs(seconds));
        SOURCE.fetch_add(1, SeqCst);
        if seconds == 85 {
            one.run(|| ahead(1));
            while one.stats().loads < 2 {
                std::thread::yield_now();
            }
        }
    }
    other.run(|| ahead(1));
    while other.run(|| ahead(1)) == 1001 {
        std::thread::yield_now();
    }
    assert_eq!(other.run(|| ahead(1)), 1002);
    assert_eq!(other.stats().loads, 0, "the store had it");
}
