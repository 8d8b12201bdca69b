//! Loads that take longer than memory may vouch for a copy, where nobody can say what was invalidated
//! meanwhile. Two caches on one store stand for two processes.
#![cfg(feature = "stores")]

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::{End, Failed, Source, Task, hears, secs, until};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{BoxFuture, Cache, cached, entry, invalidate};

const BOUND: Duration = Duration::from_secs(5);

fn processes(store: &FaultyStore, copies: Duration) -> [TestCache; 2] {
    [(); 2].map(|()| {
        let builder = Cache::builder().shared(store.clone());
        TestCache::with(builder.memory_copies(copies)).unwrap()
    })
}

#[cached(timeout = 600, skip(source), tags("late"))]
async fn plain(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
    source.load().await.map(|value| value + id)
}

#[cached(
    timeout = 600,
    skip(source),
    tags("late"),
    single_flight = "distributed"
)]
async fn leased(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
    source.load().await.map(|value| value + id)
}

#[cached(timeout = 600, skip(source), tags("late"), batch = ids)]
async fn many(source: Arc<Source>, ids: &[u64]) -> Result<HashMap<u64, u64>, Failed> {
    let value = source.load().await?;
    Ok(ids.iter().map(|id| (*id, value + id)).collect())
}

/// It cannot travel.
#[derive(Clone)]
struct Here(u64);

#[cached(timeout = 600, skip(source), tags("late"))]
async fn here(source: Arc<Source>, id: u64) -> Result<Here, Failed> {
    source.load().await.map(|value| Here(value + id))
}

async fn by_hand(source: Arc<Source>) -> u64 {
    let load = || async move { source.load().await };
    let cache = Cache::current();
    cache.get_or_load("late", secs(600), load).await.unwrap()
}

type Call = fn(Arc<Source>) -> BoxFuture<'static, u64>;

/// Each way to load the source's value that can be waited for.
const WAYS: [(&str, Call); 5] = [
    ("function", |it| {
        Box::pin(async { plain(it, 0).await.unwrap() })
    }),
    ("distributed", |it| {
        Box::pin(async { leased(it, 0).await.unwrap() })
    }),
    ("batch", |it| {
        Box::pin(async { many(it, &[0]).await.unwrap()[&0] })
    }),
    ("in memory alone", |it| {
        Box::pin(async { here(it, 0).await.unwrap().0 })
    }),
    ("by hand", |it| Box::pin(by_hand(it))),
];

fn call(cache: &TestCache, source: &Arc<Source>, call: Call) -> Task<u64> {
    let source = Arc::clone(source);
    Task::new(cache.run_async(async move { call(source).await }))
}

fn invalidate(cache: &TestCache) {
    let blocking = cache.blocking();
    cache.run(|| invalidate!(tag = "late").wait()).unwrap();
    blocking.delete("late").unwrap();
}

#[test]
fn what_took_longer_to_load_than_a_copy_lives_is_not_served_from_memory() {
    for (name, way) in WAYS {
        println!("{name}");
        let [one, other] = processes(&FaultyStore::new(), BOUND);
        let source = Source::shut(1);
        let mut first = call(&one, &source, way).waiting();
        source.set(2);
        invalidate(&other);
        one.advance(secs(60));
        source.end_all(End::Well);
        assert_eq!(first.done(), 1, "it asked before");
        assert_eq!(call(&one, &source, way).done(), 2, "a minute late");
    }
}

#[test]
fn what_was_loaded_in_less_is_vouched_for_from_the_beginning_of_its_load() {
    for (name, way) in WAYS {
        println!("{name}");
        let [one, other] = processes(&FaultyStore::new(), BOUND);
        let source = Source::shut(1);
        let mut first = call(&one, &source, way).waiting();
        source.set(2);
        invalidate(&other);
        one.advance(secs(3));
        source.end_all(End::Well);
        assert_eq!(first.done(), 1);
        one.advance(Duration::from_nanos(1_999_999_999));
        assert_eq!(call(&one, &source, way).done(), 1, "within the bound");
        one.advance(Duration::from_nanos(1));
        assert_eq!(call(&one, &source, way).done(), 2);
    }
}

#[test]
fn who_asks_later_than_a_copy_would_live_does_not_take_what_a_load_from_before_brings() {
    for (name, way) in WAYS {
        println!("{name}");
        let [one, other] = processes(&FaultyStore::new(), BOUND);
        let source = Source::shut(1);
        let mut first = call(&one, &source, way).waiting();
        source.set(2);
        invalidate(&other);
        one.advance(BOUND);
        let mut late = call(&one, &source, way).waiting();
        let mut later = call(&one, &source, way).waiting();
        assert_eq!(source.begun(), 1, "nobody loads beside it");
        source.end(1, End::Well);
        assert_eq!(first.done(), 1);
        late.pending();
        later.pending();
        assert_eq!(source.begun(), 2, "one for both");
        source.end(2, End::Well);
        assert_eq!((late.done(), later.done()), (2, 2), "{name}");
    }
}

#[test]
fn a_load_that_nothing_has_invalidated_is_one_for_all_however_long_it_takes() {
    for copies in [BOUND, Duration::ZERO] {
        for (name, way) in WAYS
            .into_iter()
            .filter(|(name, _)| *name != "in memory alone")
        {
            println!("{name}");
            let [one, _] = processes(&FaultyStore::new(), copies);
            let source = Source::shut(1);
            let mut calls = vec![call(&one, &source, way).waiting()];
            for _ in 0..20 {
                one.advance(secs(1));
                calls.push(call(&one, &source, way).waiting());
            }
            source.end_all(End::Well);
            for call in &mut calls {
                assert_eq!(call.done(), 1);
            }
            assert_eq!(source.begun(), 1, "{name}");
        }
    }
}

#[test]
fn a_late_caller_whose_leader_is_gone_does_not_take_the_rest_of_its_load_for_new() {
    let [one, other] = processes(&FaultyStore::new(), BOUND);
    let source = Source::shut(1);
    let first = call(&one, &source, WAYS[0].1).waiting();
    source.set(2);
    invalidate(&other);
    one.advance(BOUND);
    let mut late = call(&one, &source, WAYS[0].1).waiting();
    drop(first);
    late.pending();
    source.end_all(End::Well);
    assert_eq!(late.done(), 2);
}

#[test]
fn who_hears_what_is_invalidated_joins_a_load_of_any_age() {
    let [one, other] = processes(&FaultyStore::pushing(), secs(600));
    assert!(until(|| hears(&one) && hears(&other)));
    let source = Source::shut(1);
    let mut first = call(&one, &source, WAYS[0].1).waiting();
    one.advance(secs(300));
    let mut second = call(&one, &source, WAYS[0].1).waiting();
    source.end(1, End::Well);
    assert_eq!((first.done(), second.done()), (1, 1));
    assert_eq!(source.begun(), 1);
    assert_eq!(call(&one, &source, WAYS[0].1).done(), 1, "memory has it");
}

#[test]
fn what_came_from_the_store_is_vouched_for_from_when_it_was_read() {
    let [one, other] = processes(&FaultyStore::new(), BOUND);
    let source = Source::open(1);
    call(&one, &source, WAYS[0].1).done();
    source.set(2);
    call(&other, &source, WAYS[0].1).done();
    other.advance(secs(4));
    let known = |cache: &TestCache| {
        let source = Arc::clone(&source);
        let look = async move { entry!(plain(source, 0)).get().await };
        Task::new(cache.run_async(look)).done()
    };
    assert_eq!(known(&other).unwrap().unwrap(), 1, "a copy");
    other.run(|| invalidate!(tag = "none").wait()).unwrap();
    one.run(|| invalidate!(tag = "late").wait()).unwrap();
    assert!(
        known(&other).is_some(),
        "the copy is good for a second still"
    );
    other.advance(secs(1));
    assert!(known(&other).is_none());
}
