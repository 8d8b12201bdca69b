//! One call that concerns many keys concerns these keys and no others. Two caches on one store stand
//! for two processes.
#![cfg(feature = "stores")]

mod common;

use std::collections::HashMap;
use std::time::Duration;

use common::{hears, secs, until};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{BoxFuture, Cache, cached, invalidate};
use futures::executor::block_on;

const MANY: u64 = 1500;

#[cached(timeout = 600)]
fn unrelated(id: u64) -> u64 {
    id
}

#[cached(timeout = 600, batch = ids)]
async fn many(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

fn keys() -> Vec<String> {
    (0..MANY).map(|n| format!("k{n}")).collect()
}

type Call = fn(TestCache) -> BoxFuture<'static, ()>;

const CALLS: [(&str, Call); 4] = [
    ("set_many", |cache| {
        Box::pin(async move {
            let values = keys().into_iter().map(|key| (key, 1));
            cache.set_many(values, secs(600)).await.unwrap();
        })
    }),
    ("delete_many", |cache| {
        Box::pin(async move {
            let keys = keys();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            cache.delete_many(&keys).await.unwrap();
        })
    }),
    ("invalidate a batch", |cache| {
        Box::pin(async move {
            let ids: Vec<u64> = (0..MANY).collect();
            cache.run_async(many(&ids)).await;
            cache.run(|| invalidate!(many(&ids))).await.unwrap();
        })
    }),
    ("many at once", |cache| {
        Box::pin(async move {
            let keys = keys();
            let sets = keys.iter().map(|key| cache.set(key, 1, secs(600)));
            for set in futures::future::join_all(sets).await {
                set.unwrap();
            }
        })
    }),
];

fn process(store: &FaultyStore, copies: Duration) -> TestCache {
    let builder = Cache::builder().shared(store.clone());
    TestCache::with(builder.memory_copies(copies)).unwrap()
}

#[test]
fn on_the_store_everything_else_stays() {
    for (name, call) in CALLS {
        println!("{name}");
        let store = FaultyStore::new();
        let [one, other] = [(); 2].map(|()| process(&store, Duration::ZERO));
        other.run(|| unrelated(1));
        block_on(call(one.clone()));
        other.run(|| unrelated(1));
        assert_eq!(other.stats().loads, 1, "{name}");
        assert_eq!(one.store_status().unwrap().undelivered, 0);
    }
}

#[test]
fn and_so_it_does_in_the_memory_of_others_who_are_told() {
    for (name, call) in CALLS {
        println!("{name}");
        let store = FaultyStore::pushing();
        let [one, other] = [(); 2].map(|()| process(&store, secs(600)));
        assert!(until(|| hears(&one) && hears(&other)));
        other.run(|| unrelated(1));
        other.blocking().set("k7", 0, secs(600)).unwrap();
        block_on(call(one.clone()));
        if name != "invalidate a batch" {
            let gone = || other.blocking().get::<i32>("k7") != Some(0);
            assert!(until(gone), "it has heard");
        }
        other.run(|| unrelated(1));
        assert_eq!((other.stats().hits > 0, other.stats().loads), (true, 1));
    }
}
