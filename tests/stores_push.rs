//! Two tiers and a store that pushes: what one process invalidates, the others are told. Two caches
//! on one store stand for two processes.
#![cfg(feature = "stores")]

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use dewar::testing::{FaultyStore, TestCache, store_conformance};
use dewar::{Cache, cached, entry, invalidate};

/// What the functions read: the data behind the cache.
static SOURCE: AtomicU64 = AtomicU64::new(0);

const BOUND: Duration = Duration::from_secs(5);

struct World {
    store: FaultyStore,
    one: TestCache,
    other: TestCache,
    _turn: std::sync::MutexGuard<'static, ()>,
}

impl World {
    /// Two processes that hear each other. Tests share the source, so they take turns.
    fn new() -> World {
        static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let turn = TURN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        SOURCE.store(1, SeqCst);
        let store = FaultyStore::pushing();
        let process = || {
            let builder = Cache::builder().shared(store.clone()).memory_copies(BOUND);
            TestCache::with(builder).expect("these settings are accepted")
        };
        let (one, other) = (process(), process());
        let world = World {
            store,
            one,
            other,
            _turn: turn,
        };
        world.until("both hear each other", || world.is_up());
        world
    }

    fn is_up(&self) -> bool {
        [&self.one, &self.other]
            .iter()
            .all(|cache| cache.store_status().and_then(|status| status.push) == Some(true))
    }

    /// Waits for what other threads do, without moving any clock.
    fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        for _ in 0..5000 {
            if holds() {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("it never came to pass that {what}");
    }

    /// Lets time go by for both as it does in life: they have the time to do what is due.
    fn pass(&self, time: Duration) {
        let step = Duration::from_millis(500);
        for _ in 0..time.as_millis() / step.as_millis() {
            self.one.advance(step);
            self.other.advance(step);
            if self.is_up() {
                let heard = |cache: &TestCache| cache.store_status().unwrap().last_heard.unwrap();
                self.until("they say hello in time", || {
                    !self.is_up() || (heard(&self.one) < BOUND && heard(&self.other) < BOUND)
                });
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn other_sees(&self) -> u64 {
        self.other.run(|| value(1))
    }
}

#[cached(timeout = 600, key_prefix = "value:{id}", tags("all-values"))]
fn value(id: u64) -> u64 {
    id * 1000 + SOURCE.load(SeqCst)
}

#[test]
fn the_store_for_tests_keeps_the_contract() {
    let store = FaultyStore::pushing();
    futures::executor::block_on(store_conformance(&store.clone(), &store)).unwrap();
}

#[test]
fn an_invalidation_is_seen_elsewhere_at_once() {
    type Order = fn() -> dewar::Invalidated;
    let orders: [(&str, Order); 6] = [
        ("key", || invalidate!(value(1))),
        ("function", || invalidate!(value)),
        ("prefix", || invalidate!(prefix = "value:1")),
        ("tag", || invalidate!(tag = "all-values")),
        ("pattern", || invalidate!(pattern = "val*")),
        ("everything", || invalidate!(all)),
    ];
    let world = World::new();
    for (n, (name, order)) in orders.into_iter().enumerate() {
        SOURCE.store(n as u64, SeqCst);
        world.one.run(|| order().wait()).unwrap();
        let new = 1000 + n as u64;
        world.until(name, || world.other_sees() == new);
        assert_eq!(world.one.run(|| value(1)), new);
    }
    assert_eq!(world.other.stats().messages, 6);
    assert_eq!(world.one.stats().messages, 0, "its own are ignored");
}

#[test]
fn a_write_by_hand_is_seen_elsewhere_at_once() {
    let world = World::new();
    assert_eq!(world.other_sees(), 1001);
    world.one.run(|| entry!(value(1)).put(7)).unwrap();
    world.until("the new value is read", || world.other_sees() == 7);
    assert_eq!(world.other.stats().loads, 1);
}

#[test]
fn what_is_loaded_is_not_told() {
    let world = World::new();
    for id in 0..20 {
        world.one.run(|| value(id));
        world.other.run(|| value(id));
    }
    world.pass(BOUND * 2);
    assert_eq!(
        (world.one.stats().messages, world.other.stats().messages),
        (0, 0)
    );
}

#[test]
fn a_copy_lives_as_long_as_what_it_is_of_while_the_channel_is_up() {
    let world = World::new();
    assert_eq!(world.other_sees(), 1001);
    world.pass(BOUND * 4);
    assert!(world.is_up());
    let before = world.other.stats();
    assert_eq!(world.other_sees(), 1001);
    let after = world.other.stats();
    assert_eq!(after.hits, before.hits + 1, "it came from memory");
    assert_eq!(after.misses(), before.misses());
}

#[test]
fn what_was_missed_while_the_channel_was_lost_is_dropped_when_it_is_back() {
    let world = World::new();
    assert_eq!(world.other_sees(), 1001);
    world.store.cut();
    world.until("the loss is noticed", || !world.is_up());
    SOURCE.store(2, SeqCst);
    // Heard by nobody: no clock moves, so nobody listens afresh.
    world.one.run(|| invalidate!(value(1)).wait()).unwrap();
    assert_eq!(world.other_sees(), 1001, "within the bound");
    world.other.advance(Duration::from_millis(500));
    world.until("it is back", || world.other_sees() == 1002);
}

#[test]
fn a_channel_that_falls_silent_is_noticed_and_what_it_vouched_for_is_dropped_in_time() {
    let world = World::new();
    assert_eq!(world.other_sees(), 1001);
    world.store.mute(true);
    SOURCE.store(2, SeqCst);
    world.one.run(|| invalidate!(value(1)).wait()).unwrap();
    for _ in 0..=10 {
        world.pass(Duration::from_millis(500));
    }
    world.until("the copy is gone", || world.other_sees() == 1002);
    assert!(!world.is_up());
    world.store.mute(false);
    world.until("both hear each other again", || {
        world.pass(Duration::from_millis(500));
        world.is_up()
    });
}

#[test]
fn a_silent_channel_is_trusted_for_the_time_of_copies_and_not_a_moment_longer() {
    let world = World::new();
    assert_eq!(world.other_sees(), 1001);
    world.store.mute(true);
    SOURCE.store(2, SeqCst);
    world.one.run(|| invalidate!(value(1)).wait()).unwrap();
    let moment = Duration::from_millis(1);
    let silence = world.other.store_status().unwrap().last_heard.unwrap();
    world.other.advance(BOUND - silence - moment);
    assert_eq!(world.other_sees(), 1001, "within the bound");
    world.other.advance(moment);
    world.until("the copy is gone", || world.other_sees() == 1002);
}

#[test]
fn copies_live_shortly_while_the_channel_is_down() {
    let world = World::new();
    world.store.mute(true);
    world.store.cut();
    world.until("the loss is noticed", || !world.is_up());
    world.pass(BOUND * 2);
    assert_eq!(world.other_sees(), 1001);
    SOURCE.store(2, SeqCst);
    world.one.run(|| invalidate!(value(1)).wait()).unwrap();
    world.pass(BOUND);
    assert_eq!(world.other_sees(), 1002);
}

#[test]
fn an_invalidation_is_not_lost_when_the_store_goes_back_to_an_older_state() {
    let world = World::new();
    assert_eq!(world.other_sees(), 1001);
    let snapshot = world.store.snapshot();
    SOURCE.store(2, SeqCst);
    world.one.run(|| invalidate!(value(1)).wait()).unwrap();
    world.store.restore(&snapshot);
    world.store.cut();
    let before = world.other.clock().elapsed();
    world.until("it is back, and compared", || {
        world.pass(Duration::from_millis(500));
        world.is_up() && world.other_sees() == 1002
    });
    let took = world.other.clock().elapsed() - before;
    assert!(took < BOUND * 4, "not because it has expired: {took:?}");
    assert_eq!(world.one.run(|| value(1)), 1002);
}

/// Two processes that keep nothing in memory, so that nobody listens.
fn without_memory(store: &FaultyStore) -> [TestCache; 2] {
    [(); 2].map(|()| {
        let builder = Cache::builder().shared(store.clone());
        TestCache::with(builder.memory_copies(Duration::ZERO)).expect("accepted")
    })
}

#[test]
fn an_older_state_after_failed_operations_is_noticed_however_long_the_comparison_fails() {
    let world = World::new();
    assert_eq!(world.other_sees(), 1001);
    let snapshot = world.store.snapshot();
    SOURCE.store(2, SeqCst);
    world.one.run(|| invalidate!(value(1)).wait()).unwrap();
    world.store.fail(true);
    world.store.cut();
    for id in 2..22 {
        world.one.run(|| value(id));
    }
    let health = world.one.store_status().unwrap().health;
    assert_eq!(health, dewar::store::Health::Down, "the circuit is open");
    world.store.restore(&snapshot);
    world.store.fail(false);
    let before = world.other.clock().elapsed();
    world.until("it is back, and compared", || {
        world.pass(Duration::from_millis(500));
        world.is_up() && world.other_sees() == 1002
    });
    let took = world.other.clock().elapsed() - before;
    assert!(took < BOUND * 20, "not because it has expired: {took:?}");
}

#[test]
fn whoever_has_invalidated_is_never_served_the_older_state_even_with_nothing_in_memory() {
    let world = World::new();
    let [one, other] = without_memory(&world.store);
    assert_eq!(other.run(|| value(1)), 1001);
    let snapshot = world.store.snapshot();
    SOURCE.store(2, SeqCst);
    one.run(|| invalidate!(value(1)).wait()).unwrap();
    world.store.fail(true);
    one.run(|| value(2));
    world.store.restore(&snapshot);
    world.store.fail(false);
    assert_eq!(
        one.run(|| value(1)),
        1002,
        "compared before anything is served"
    );
    world.until("the other sees it too", || {
        one.advance(Duration::from_secs(1));
        other.run(|| value(1)) == 1002
    });
}

#[test]
fn an_older_state_is_noticed_as_soon_as_the_channel_is_lost() {
    let world = World::new();
    let [other, _] = without_memory(&world.store);
    assert_eq!(other.run(|| value(1)), 1001);
    let snapshot = world.store.snapshot();
    SOURCE.store(2, SeqCst);
    world.one.run(|| invalidate!(value(1)).wait()).unwrap();
    world.store.restore(&snapshot);
    world.store.cut();
    let push = || world.one.store_status().and_then(|status| status.push);
    world.until("the loss is noticed", || push() == Some(false));
    assert_eq!(world.one.run(|| value(1)), 1002, "nobody listens yet");
}

#[test]
fn more_invalidations_than_are_kept_become_everything() {
    let world = World::new();
    assert_eq!(world.other_sees(), 1001);
    SOURCE.store(2, SeqCst);
    world.store.fail(true);
    world.one.run(|| {
        drop(invalidate!(value(1)));
        (0..2000).for_each(|n| drop(invalidate!(tag = "t{n}")));
    });
    world.until("they were tried", || {
        world.pass(Duration::from_secs(1));
        world.one.store_status().unwrap().undelivered == 1
    });
    world.store.fail(false);
    world.until("it is delivered", || {
        world.pass(Duration::from_millis(500));
        world.other_sees() == 1002
    });
    world.until("nothing is left", || {
        world.one.store_status().unwrap().undelivered == 0
    });
}

#[test]
fn what_is_computed_afresh_is_so_elsewhere_at_once() {
    let world = World::new();
    assert_eq!(world.other_sees(), 1001);
    SOURCE.store(2, SeqCst);
    world.one.run(|| entry!(value(1)).refresh());
    world.until("the other has it too", || world.other_sees() == 1002);
    assert_eq!(world.other.stats().loads, 1, "from the store");
}

#[cached(timeout = 600, key_prefix = "afresh:{id}", skip(other))]
fn overtaken(id: u64, other: Option<&TestCache>) -> u64 {
    let now = SOURCE.load(SeqCst);
    if let Some(other) = other {
        SOURCE.store(now + 1, SeqCst);
        other.run(|| entry!(overtaken(id, None)).refresh());
    }
    id * 1000 + now
}

#[test]
fn a_load_that_began_before_another_process_computed_afresh_does_not_overwrite_it() {
    let world = World::new();
    let began_before = world.one.run(|| overtaken(1, Some(&world.other)));
    assert_eq!(began_before, 1001);
    assert_eq!(world.other.run(|| overtaken(1, None)), 1002);
    let [third, _] = without_memory(&world.store);
    assert_eq!(
        third.run(|| overtaken(1, None)),
        1002,
        "whatever the older load left on the store"
    );
    let read = || world.one.run(|| overtaken(1, None));
    world.until("its own memory has heard of it", || read() == 1002);
}

#[cached(timeout = 600, key_prefix = "gone:{id}")]
fn perhaps(id: u64) -> Option<u64> {
    match SOURCE.load(SeqCst) {
        0 => None,
        now => Some(id * 1000 + now),
    }
}

#[test]
fn what_a_refresh_finds_to_be_gone_is_gone_for_all() {
    let world = World::new();
    assert_eq!(world.other.run(|| perhaps(1)), Some(1001));
    SOURCE.store(0, SeqCst);
    assert_eq!(world.one.run(|| entry!(perhaps(1)).refresh()), None);
    assert_eq!(world.one.run(|| perhaps(1)), None, "nor is it fetched back");
    world.until("the other has heard", || {
        world.other.run(|| perhaps(1)).is_none()
    });
}

#[cached(timeout = 600, key_prefix = "several:{ids}", batch = ids)]
fn several(ids: &[u64]) -> std::collections::HashMap<u64, u64> {
    let now = SOURCE.load(SeqCst);
    let there = ids.iter().filter(|id| **id != now);
    there.map(|id| (*id, id * 1000 + now)).collect()
}

#[test]
fn what_a_batch_computes_afresh_is_so_elsewhere_at_once_and_what_it_does_not_find_is_gone() {
    let world = World::new();
    let read = || world.other.run(|| several(&[5, 6]));
    assert_eq!(read(), [(5, 5001), (6, 6001)].into());
    SOURCE.store(6, SeqCst);
    world.one.run(|| entry!(several(&[5, 6])).refresh());
    world.until("the other has it too", || read() == [(5, 5006)].into());
}

/// A result that cannot travel.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Here(u64);

#[cached(timeout = 600)]
fn here(id: u64) -> Here {
    Here(id * 1000 + SOURCE.load(SeqCst))
}

#[test]
fn what_stays_in_memory_because_it_cannot_travel_is_invalidated_elsewhere_too() {
    let world = World::new();
    let read = |id| world.other.run(|| here(id));
    assert_eq!((read(1), read(2)), (Here(1001), Here(2001)));
    SOURCE.store(2, SeqCst);
    world.one.run(|| invalidate!(here(1)).wait()).unwrap();
    world.until("it is loaded again", || read(1) == Here(1002));
    assert_eq!(read(2), Here(2001), "and nothing else is");
    SOURCE.store(3, SeqCst);
    world.one.run(|| invalidate!(here).wait()).unwrap();
    world.until("all are", || read(2) == Here(2003));
}

#[test]
fn what_cannot_travel_is_trusted_no_longer_than_copies_where_nobody_would_be_heard() {
    let world = World::new();
    world.store.mute(true);
    world.store.cut();
    world.until("the loss is noticed", || !world.is_up());
    world.pass(BOUND * 2);
    assert_eq!(world.other.run(|| here(1)), Here(1001));
    SOURCE.store(2, SeqCst);
    world.one.run(|| invalidate!(here(1)).wait()).unwrap();
    assert_eq!(world.other.run(|| here(1)), Here(1001), "within the bound");
    world.pass(BOUND);
    assert_eq!(world.other.run(|| here(1)), Here(1002));
}

#[test]
fn what_another_process_invalidates_is_told_of_as_such() {
    let world = World::new();
    world.other.record_operations();
    let order = || invalidate!(prefix = "value:1").wait();
    world.one.run(order).unwrap();
    world.until("it is told", || {
        let operations = world.other.operations();
        let mut kinds = operations.iter().map(|operation| &operation.event.kind);
        kinds.any(|kind| (kind.name(), &*kind.detail()) == ("invalidated", "elsewhere"))
    });
}

#[test]
fn a_soft_invalidation_is_soft_elsewhere() {
    #[cached(timeout = 600, key_prefix = "soft", stale_if_error = "1h")]
    fn fragile(id: u64) -> Result<u64, String> {
        match SOURCE.load(SeqCst) {
            0 => Err("down".into()),
            now => Ok(id * 1000 + now),
        }
    }
    let world = World::new();
    let read = || world.other.run(|| fragile(1));
    assert_eq!(read(), Ok(1001));
    SOURCE.store(0, SeqCst);
    world
        .one
        .run(|| invalidate!(soft, prefix = "soft").wait())
        .unwrap();
    world.until("it is heard", || world.other.stats().messages == 1);
    assert_eq!(read(), Ok(1001), "expired, and served since the load fails");
    assert_eq!(world.other.stats().fallbacks, 1);
    SOURCE.store(2, SeqCst);
    world
        .one
        .run(|| invalidate!(prefix = "soft").wait())
        .unwrap();
    world.until("it is gone", || read() == Ok(1002));
}

#[test]
fn a_cache_that_is_gone_listens_no_more() {
    let world = World::new();
    assert_eq!(world.store.listening(), 2);
    let World {
        store,
        one,
        other,
        _turn,
    } = world;
    let clock = one.clock().clone();
    drop(one);
    for _ in 0..5000 {
        clock.advance(Duration::from_millis(500));
        if store.listening() == 1 {
            return drop(other);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it still listens");
}
