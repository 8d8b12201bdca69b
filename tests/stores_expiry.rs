//! How long entries live on a shared store. Two caches on one store stand for two processes; their
//! clocks and the store's go together.
#![cfg(feature = "stores")]

mod common;

use std::collections::HashMap;
use std::time::Duration;

use dewar::testing::{FaultyStore, ManualClock, TestCache};
use dewar::{Cache, Expiry, cached, invalidate};
use futures::executor::block_on;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Two processes, their store, and its clock.
struct World {
    one: TestCache,
    other: TestCache,
    store: FaultyStore,
    clock: ManualClock,
}

fn world() -> World {
    let clock = ManualClock::new();
    let store = FaultyStore::with_clock(clock.clone());
    let process = || {
        let builder = Cache::builder().shared(store.clone());
        TestCache::with(builder).expect("these settings are accepted")
    };
    World {
        one: process(),
        other: process(),
        store: store.clone(),
        clock,
    }
}

impl World {
    fn advance(&self, time: Duration) {
        self.one.advance(time);
        self.other.advance(time);
        self.clock.advance(time);
    }

    /// How many loads there were in each process.
    fn loads(&self) -> (u64, u64) {
        (self.one.stats().loads, self.other.stats().loads)
    }
}

#[test]
fn a_value_set_by_hand_lives_for_as_long_as_was_said() {
    let world = world();
    block_on(async {
        world.one.set("a", 1u64, MINUTE).await.unwrap();
        assert!(world.one.touch("a", Expiry::Never).await.unwrap());
        world.advance(HOUR);
        assert_eq!(world.other.get("a").await, Some(1u64));
        assert!(world.one.touch("a", 10 * HOUR).await.unwrap());
        world.one.increment("a", 1).await.unwrap();
        world.advance(9 * HOUR);
        assert_eq!(world.other.get("a").await, Some(2u64));
        world.advance(HOUR);
        assert_eq!(world.other.get::<u64>("a").await, None);
    });
}

#[test]
fn a_lock_that_was_freed_and_taken_again_holds_for_its_time() {
    let world = world();
    block_on(async {
        assert!(world.one.add("lock", 1, 24 * HOUR).await.unwrap());
        assert!(world.one.delete("lock").await.unwrap());
        assert!(world.one.add("lock", 1, 24 * HOUR).await.unwrap());
        world.advance(23 * HOUR);
        assert!(!world.other.add("lock", 2, 24 * HOUR).await.unwrap());
        world.advance(HOUR);
        assert!(world.other.add("lock", 2, 24 * HOUR).await.unwrap());
    });
}

#[cached(timeout = never, key_prefix = "for-ever:{id}")]
fn for_ever(id: u64) -> u64 {
    id
}

#[cached(timeout = |short: &u64| (*short < 1000).then_some(Duration::from_secs(*short)), batch = ids, key_prefix = "mixed")]
fn mixed(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[test]
fn what_never_expires_outlives_an_invalidation_before_it() {
    let world = world();
    world.one.run(|| for_ever(1));
    world
        .one
        .run(|| invalidate!(prefix = "for-ever").wait())
        .unwrap();
    world.one.run(|| for_ever(1));
    world.advance(1000 * HOUR);
    world.other.run(|| for_ever(1));
    assert_eq!(world.loads(), (2, 0));
}

#[test]
fn one_that_never_expires_takes_nothing_from_the_others() {
    let world = world();
    world.one.run(|| invalidate!(mixed).wait()).unwrap();
    let before = world.store.keys().len();
    world.one.run(|| mixed(&[1, 900, 1000]));
    world.advance(Duration::from_secs(899));
    world.other.run(|| mixed(&[900, 1000]));
    assert_eq!(world.loads(), (3, 0));
    // What was for one second is gone, with the version of its key.
    world.advance(HOUR);
    world.other.run(|| mixed(&[1000]));
    assert_eq!(world.loads(), (3, 0));
    let all = world.store.keys();
    let kept: Vec<_> = all.iter().filter(|key| key.contains("mixed")).collect();
    assert_eq!((kept.len(), all.len()), (1, before + 4), "{all:?}");
}

#[cached(timeout = never, idle_timeout = "10m", key_prefix = "session:{id}")]
fn session(id: u64) -> u64 {
    id
}

#[test]
fn what_died_of_idleness_does_not_come_back_from_the_store() {
    let world = world();
    world.one.run(|| session(1));
    world.advance(9 * MINUTE);
    world.other.run(|| session(1));
    assert_eq!(world.loads(), (1, 0), "shared while it is read");
    world.advance(MINUTE);
    world.one.run(|| session(1));
    assert_eq!(world.loads(), (1, 0), "read elsewhere a minute ago");
    world.advance(9 * MINUTE);
    world.other.run(|| session(1));
    assert_eq!(
        world.loads(),
        (1, 1),
        "nobody has said for ten minutes that it was read"
    );
    world.advance(10 * MINUTE);
    block_on(world.one.get::<u64>("nothing"));
    let kept = |key: &&String| key.contains("session");
    assert_eq!(world.store.keys().iter().filter(kept).count(), 0);
}

#[test]
fn a_store_that_keeps_it_for_longer_does_not_bring_it_back() {
    // The store's own clock stands still.
    let world = world();
    world.one.run(|| session(1));
    world.other.advance(10 * MINUTE);
    world.other.run(|| session(1));
    assert_eq!(world.loads(), (1, 1));
}

#[cached(timeout = never, idle_timeout = "10m", skip(fails))]
fn kept(fails: bool) -> u64 {
    assert!(!fails, "it is to be there");
    1
}

#[test]
fn reads_from_memory_keep_it_alive() {
    let world = world();
    world.one.run(|| kept(false));
    for _ in 0..9 {
        world.advance(9 * MINUTE);
        world.one.run(|| kept(true));
    }
}

#[cached(timeout = 1000, refresh_ahead = 0.4, idle_timeout = "10m", skip(now))]
fn refreshed(now: u64) -> u64 {
    now
}

#[test]
fn what_is_refreshed_ahead_while_it_is_kept_alive_is_stored() {
    let mut world = world();
    let builder = Cache::builder().shared(world.store.clone());
    world.one = TestCache::with(builder.memory_copies(HOUR)).unwrap();
    world.one.run(|| refreshed(1));
    world.advance(450 * Duration::from_secs(1));
    assert_eq!(world.one.run(|| refreshed(2)), 1, "while it is refreshed");
    // It is in memory when it is on the store.
    assert!(common::until(|| world.one.run(|| refreshed(9)) == 2));
    assert_eq!(world.other.run(|| refreshed(3)), 2);
    assert_eq!(world.loads(), (2, 0));
}

#[cached(timeout = 1000, jitter = "50%", batch = ids, key_prefix = "spread")]
fn spread(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[test]
fn jitter_spreads_expiry_on_the_store() {
    let world = world();
    let ids: Vec<u64> = (0..200).collect();
    world.one.run(|| spread(&ids));
    let left = |seconds| {
        world.advance(Duration::from_secs(seconds));
        world.other.run(|| spread(&ids));
        world.other.stats().loads
    };
    assert_eq!(left(490), 0, "no more than by half");
    let early = left(260);
    assert!(
        (50..150).contains(&early),
        "{early} of 200 are gone half way through"
    );
}
