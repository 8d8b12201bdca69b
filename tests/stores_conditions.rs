//! `stale_if` on a shared store. Two caches on one store stand for two processes.
#![cfg(feature = "stores")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, cached};
use futures::executor::block_on;

fn processes(store: &FaultyStore) -> [TestCache; 2] {
    [(); 2].map(|()| {
        let builder = Cache::builder().shared(store.clone());
        TestCache::with(builder).expect("these settings are accepted")
    })
}

#[cached(timeout = 60, skip(version), stale_if = |known| *known < version)]
fn quote(version: u64) -> u64 {
    version
}

#[cached(timeout = 60, skip(version), stale_if = |known| known < version)]
async fn quote_async(version: &u64) -> u64 {
    *version
}

#[cached(timeout = 60, single_flight = "distributed", skip(version), stale_if = |known| *known < version)]
fn quote_once(version: u64) -> u64 {
    version
}

#[cached(timeout = 60, batch = ids, skip(version), stale_if = |known| *known < version)]
fn quotes(ids: &[u64], version: u64) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, version)).collect()
}

#[test]
fn what_the_store_has_is_asked_about_too() {
    type Asked = fn(u64) -> u64;
    let functions: [(&str, Asked); 4] = [
        ("plain", quote),
        ("async", |version| block_on(quote_async(&version))),
        ("distributed", quote_once),
        ("batch", |version| quotes(&[1], version)[&1]),
    ];
    for (how, asked) in functions {
        let [one, other] = processes(&FaultyStore::new());
        assert_eq!(one.run(|| asked(1)), 1, "{how}");
        assert_eq!(other.run(|| asked(1)), 1, "{how}");
        assert_eq!(
            one.run(|| asked(2)),
            2,
            "{how}: refused in memory and there"
        );
        assert_eq!(one.run(|| asked(2)), 2, "{how}");
        assert_eq!(one.stats().loads, 2, "{how}: once refused, and not again");
        assert_eq!(other.run(|| asked(2)), 2, "{how}");
        assert_eq!(other.stats().loads, 0, "{how}: another has loaded it");
    }
}

#[test]
fn a_process_with_an_empty_memory_asks() {
    let store = FaultyStore::new();
    let [one, other] = processes(&store);
    assert_eq!(one.run(|| quote(1)), 1);
    assert_eq!(other.run(|| quote(2)), 2);
    assert_eq!((other.stats().loads, other.stats().undecodable), (1, 0));
}

static DOWN: AtomicU64 = AtomicU64::new(0);

#[cached(timeout = 60, skip(version), stale_if = |known| *known < version, stale_if_error = "1h")]
fn failing(version: u64) -> Result<u64, String> {
    match DOWN.load(SeqCst) {
        0 => Ok(version),
        _ => Err("down".into()),
    }
}

#[test]
fn what_is_refused_stands_in_for_no_load_that_fails() {
    let [one, other] = processes(&FaultyStore::new());
    assert_eq!(one.run(|| failing(1)), Ok(1));
    DOWN.store(1, SeqCst);
    one.advance(Duration::from_secs(61));
    other.advance(Duration::from_secs(61));
    assert!(other.run(|| failing(2)).is_err());
    assert_eq!(other.run(|| failing(1)), Ok(1));
}
