//! What a read asks a shared store for: each entry, and each scope's version once.
#![cfg(feature = "stores")]

mod common;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use common::Gate;
use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, cached};

#[cached(timeout = 60, key_prefix = "alike", tags("a", "b"), batch = ids)]
fn alike(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[cached(timeout = 60, key_prefix = "shop:{ids}", tags("a", "b"), batch = ids)]
fn apart(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

/// How many keys the second call asks for, all in one operation and none of them twice.
fn keys_of(call: impl Fn() -> HashMap<u64, u64>) -> usize {
    let store = Gate::before(FaultyStore::new());
    let builder = Cache::builder().shared(store.clone());
    let cache = TestCache::with(builder.memory_copies(Duration::ZERO)).unwrap();
    let loaded = cache.run(&call);
    store.reads();
    assert_eq!(cache.run(&call), loaded);
    assert_eq!(cache.stats().fetched, loaded.len() as u64);
    let asked = store.reads();
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
