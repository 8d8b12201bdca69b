//! What has to outlive a power cut, and what need not.
#![cfg(feature = "stores")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::forward;
use dewar::store::{Item, Store};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{BoxFuture, Cache, Error, Expiry, cached, invalidate};

/// A store that notes what it is to write durably.
#[derive(Clone)]
struct Noting {
    store: FaultyStore,
    durable: Arc<Mutex<Vec<String>>>,
}

impl Store for Noting {
    forward!(store: get_many, set_many, delete_many, add_many, swap);

    fn set_durably(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        let keys = items.iter().map(|item| item.key.clone());
        self.durable.lock().unwrap().extend(keys);
        self.store.set_many(items)
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
