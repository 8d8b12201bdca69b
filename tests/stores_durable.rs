//! What has to outlive a power cut, and what need not.
#![cfg(feature = "stores")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dewar::store::{Found, Item, Store};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{BoxFuture, Cache, Error, Expiry, cached, invalidate};

/// A store that notes what it is to write durably.
#[derive(Clone)]
struct Noting {
    store: FaultyStore,
    durable: Arc<Mutex<Vec<String>>>,
}

impl Store for Noting {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        self.store.get_many(keys)
    }

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        self.store.set_many(items)
    }

    fn set_durably(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        let keys = items.iter().map(|item| item.key.clone());
        self.durable.lock().unwrap().extend(keys);
        self.store.set_many(items)
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        self.store.delete_many(keys)
    }

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        self.store.add_many(items)
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        self.store.swap(expected, item)
    }
}

#[cached(timeout = 60, tags("all"))]
fn square(n: u64) -> u64 {
    n * n
}

#[test]
fn what_invalidates_is_written_durably_and_what_was_loaded_is_not() {
    let store = Noting {
        store: FaultyStore::new(),
        durable: Arc::default(),
    };
    // As an application holds it that chooses one of several.
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let cache = TestCache::with(Cache::builder().shared(shared)).unwrap();
    let written = || std::mem::take(&mut *store.durable.lock().unwrap());
    cache.scope_blocking(|| {
        assert_eq!((square(3), square(4)), (9, 16));
        assert_eq!(written(), [""; 0]);
        invalidate!(square(3)).wait().unwrap();
        assert_eq!(written().len(), 1);
        invalidate!(tag = "all").wait().unwrap();
        assert!(written().iter().all(|key| key.starts_with("dewar:v.")));
    });
    let by_hand = cache.blocking();
    let expiry = Expiry::After(Duration::from_secs(60));
    by_hand.set("k", 1, expiry).unwrap();
    assert_eq!(written().len(), 1);
    assert!(by_hand.delete("k").unwrap());
    assert_eq!(written().len(), 1);
}
