//! What a read asks a shared store for: each entry, and each scope's version once.
#![cfg(feature = "stores")]

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dewar::store::{Found, Item, Store};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{BoxFuture, Cache, Error, cached};

#[cached(timeout = 60, key_prefix = "alike", tags("a", "b"), batch = ids)]
fn alike(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[cached(timeout = 60, key_prefix = "shop:{ids}", tags("a", "b"), batch = ids)]
fn apart(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

type Asked = Arc<Mutex<Vec<Vec<String>>>>;

/// A store that notes what it is asked for.
struct Noting(FaultyStore, Asked);

impl Store for Noting {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        self.1.lock().unwrap().push(keys.to_vec());
        self.0.get_many(keys)
    }

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        self.0.set_many(items)
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        self.0.delete_many(keys)
    }

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        self.0.add_many(items)
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        self.0.swap(expected, item)
    }
}

fn cache() -> (TestCache, Asked) {
    let asked = Asked::default();
    let store = Noting(FaultyStore::new(), Arc::clone(&asked));
    let builder = Cache::builder().shared(store).memory_copies(Duration::ZERO);
    (TestCache::with(builder).unwrap(), asked)
}

/// How many keys the second call asks for, all in one operation and none of them twice.
fn keys_of(call: impl Fn() -> HashMap<u64, u64>) -> usize {
    let (cache, asked) = cache();
    let loaded = cache.run(&call);
    asked.lock().unwrap().clear();
    assert_eq!(cache.run(&call), loaded);
    assert_eq!(cache.stats().fetched, loaded.len() as u64);
    let asked = asked.lock().unwrap();
    let [keys] = asked.as_slice() else {
        panic!("{} operations", asked.len());
    };
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    keys.len()
}

/// Everything, the function, two tags.
const SHARED: usize = 4;

#[test]
fn a_batch_with_one_prefix_asks_for_the_version_of_each_scope_once() {
    let ids: Vec<u64> = (0..100).collect();
    // Each key's entry and version, and one level.
    assert_eq!(keys_of(|| alike(&ids)), 2 * 100 + 1 + SHARED);
}

#[test]
fn a_batch_with_many_prefixes_asks_for_what_they_share_once() {
    let ids: Vec<u64> = (0..100).collect();
    // Each key's entry, version and level, and the level above.
    assert_eq!(keys_of(|| apart(&ids)), 3 * 100 + 1 + SHARED);
}
