//! A shared store whose code panics is one that fails. Two caches on one store stand for two
//! processes.
#![cfg(feature = "stores")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use common::{forward, hears, secs, until};
use dewar::store::{Found, Item, Push, Store};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{BoxFuture, Cache, Error, cached, invalidate};

#[derive(Default)]
struct Flags {
    reading: AtomicBool,
    /// Already where the operation is made.
    invalidating: AtomicBool,
    listening: AtomicBool,
}

#[derive(Clone)]
struct Odd {
    store: FaultyStore,
    panics: Arc<Flags>,
}

impl Odd {
    fn new() -> Self {
        Odd {
            store: FaultyStore::pushing(),
            panics: Arc::default(),
        }
    }

    fn process(&self) -> TestCache {
        let builder = Cache::builder().shared(self.clone());
        TestCache::with(builder.memory_copies(BOUND)).unwrap()
    }
}

const BOUND: Duration = Duration::from_secs(5);

fn odd(when: &AtomicBool) {
    assert!(!when.load(SeqCst), "as it was told to");
}

impl Store for Odd {
    forward!(store: set_many, delete_many, add_many, swap);

    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        Box::pin(async move {
            odd(&self.panics.reading);
            self.store.get_many(keys).await
        })
    }

    fn set_durably(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        odd(&self.panics.invalidating);
        self.store.set_durably(items)
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl Push for Odd {
    fn publish<'a>(
        &'a self,
        channel: &'a str,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.store.publish(channel, message)
    }

    fn listen<'a>(
        &'a self,
        channel: &'a str,
        hear: &'a (dyn Fn(Option<&[u8]>) + Send + Sync),
    ) -> BoxFuture<'a, Error> {
        let hear = move |message: Option<&[u8]>| {
            odd(&self.panics.listening);
            hear(message);
        };
        Box::pin(async move { self.store.listen(channel, &hear).await })
    }
}

#[cached(timeout = 600)]
fn value(id: u64) -> u64 {
    id
}

fn undelivered(cache: &TestCache) -> usize {
    cache.store_status().unwrap().undelivered
}

/// Moves the clock on until something has come to pass.
fn in_time(cache: &TestCache, mut holds: impl FnMut() -> bool) -> bool {
    until(|| {
        cache.advance(Duration::from_millis(100));
        holds()
    })
}

#[test]
fn a_channel_whose_code_panics_is_lost_and_listened_to_afresh() {
    let store = Odd::new();
    let (one, other) = (store.process(), store.process());
    assert!(until(|| hears(&one) && hears(&other)));
    other.run(|| value(1));
    store.panics.listening.store(true, SeqCst);
    one.run(|| invalidate!(value(1)).wait()).unwrap();
    assert!(until(|| !hears(&one) && !hears(&other)), "nobody hears");
    other.advance(BOUND);
    let loads = other.stats().loads;
    // By the thread that looks after the channel.
    assert!(until(|| {
        other.run(|| value(1));
        other.stats().loads > loads
    }));
    store.panics.listening.store(false, SeqCst);
    assert!(in_time(&other, || hears(&other)));
}

#[test]
fn an_invalidation_is_tried_again_until_the_store_does_not_panic() {
    let store = Odd::new();
    let one = store.process();
    store.panics.invalidating.store(true, SeqCst);
    let told = one.run(|| invalidate!(value(1)).wait()).unwrap_err();
    assert!(told.to_string().contains("panicked"), "{told}");
    drop(one.run(|| invalidate!(value(2))));
    for _ in 0..3 {
        one.advance(secs(1));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(undelivered(&one), 2);
    store.panics.invalidating.store(false, SeqCst);
    assert!(in_time(&one, || undelivered(&one) == 0));
}

#[test]
fn a_read_goes_on_without_a_store_that_panics() {
    let store = Odd::new();
    let one = store.process();
    one.run(|| value(1));
    store.panics.reading.store(true, SeqCst);
    for id in 0..10 {
        assert_eq!(one.run(|| value(id)), id);
    }
    let status = one.store_status().unwrap();
    assert_ne!(status.health, dewar::store::Health::Up, "{status:?}");
    store.panics.reading.store(false, SeqCst);
    assert!(in_time(&one, || {
        one.run(|| value(one.stats().loads + 100));
        one.store_status().unwrap().health == dewar::store::Health::Up
    }));
}
