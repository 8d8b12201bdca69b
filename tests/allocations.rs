//! A hit allocates nothing.

use std::hint::black_box;
use std::sync::Arc;

use dewar::cached;
use dewar::testing::{TestCache, isolated};

#[cached(timeout = 60, key_prefix = "item:{id}", tags("items"))]
fn item(name: &str, id: u32) -> Arc<str> {
    format!("{name} {id}").into()
}

#[cached(timeout = 60, key_prefix = "item:{id}", tags("items"))]
async fn item_async(name: &str, id: u32) -> Arc<str> {
    format!("{name} {id}").into()
}

#[cached]
async fn owned(name: Arc<str>, id: u32) -> u64 {
    name.len() as u64 + u64::from(id)
}

#[cached(
    timeout = 60,
    idle_timeout = 30,
    refresh_ahead = 0.9,
    stale_if_error = 60
)]
fn everything_on(a: i8, b: u128, c: Option<&str>, d: &[u16]) -> u64 {
    (a as u64) + (b as u64) + c.map_or(0, str::len) as u64 + d.len() as u64
}

/// Allocations of a thousand calls.
fn allocations(mut call: impl FnMut()) -> u64 {
    // The first thousand calls: what is set up once is set up.
    (0..1_000).for_each(|_| call());
    let count = allocation_counter::measure(|| (0..1_000).for_each(|_| call()));
    count.count_total
}

/// As in the cache that functions use by themselves, and in one that a test made current.
fn in_both(test: impl Fn()) {
    test();
    isolated(|_| test());
}

#[test]
fn a_hit_with_text_and_integers_allocates_nothing() {
    in_both(|| {
        assert_eq!(
            allocations(|| drop(black_box(item(black_box("a name"), 7)))),
            0
        )
    });
}

#[test]
fn an_asynchronous_hit_with_text_and_integers_allocates_nothing() {
    in_both(|| {
        let call = || drop(black_box(ready(item_async(black_box("a name"), 7))));
        assert_eq!(allocations(call), 0);
    });
}

#[test]
fn an_asynchronous_hit_of_what_could_be_handed_over_allocates_nothing() {
    let name: Arc<str> = "a name".into();
    in_both(|| {
        assert_eq!(
            allocations(|| {
                ready(owned(Arc::clone(&name), 7));
            }),
            0
        )
    });
}

#[test]
fn a_hit_with_every_option_on_allocates_nothing() {
    in_both(|| {
        assert_eq!(
            allocations(|| {
                everything_on(1, 2, Some("x"), &[1, 2]);
            }),
            0
        )
    });
}

#[test]
fn a_hit_after_an_invalidation_of_something_else_allocates_nothing() {
    let cache = TestCache::new();
    cache.run(|| {
        drop(item("a name", 7));
        dewar::invalidate!(tag = "others").wait().unwrap();
        assert_eq!(allocations(|| drop(item("a name", 7))), 0);
    });
    assert_eq!((cache.stats().hits, cache.stats().loads), (2_000, 1));
}

#[test]
fn the_counter_counts() {
    isolated(|_| {
        let mut id = 0;
        let miss = || {
            id += 1;
            drop(item("a name", id));
        };
        assert!(allocations(miss) > 1_000);
    });
}

/// Polls a future that is ready at once, where it is.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a hit is ready at once"),
    }
}

#[cached(timeout = 60, key_prefix = "many:{id}", tags("many"))]
fn many(id: u64) -> u64 {
    id
}

#[test]
fn an_invalidation_costs_the_same_however_many_entries_it_concerns() {
    let [few, all] = [10, 100_000].map(|entries| {
        let cache = TestCache::with(dewar::Cache::builder().max_entries(200_000)).unwrap();
        cache.run(|| {
            assert_eq!(
                (0..entries).map(many).sum::<u64>(),
                entries * (entries - 1) / 2
            );
            let invalidate = || {
                dewar::invalidate!(tag = "many").wait().unwrap();
                dewar::invalidate!(prefix = "many").wait().unwrap();
                dewar::invalidate!(many).wait().unwrap();
            };
            invalidate();
            let cost = allocation_counter::measure(invalidate);
            assert_eq!(cache.len() as u64, entries, "none was looked for");
            assert!((0..10).all(|id| !dewar::entry!(many(id)).contains()));
            (cost.count_total, cost.bytes_total)
        })
    });
    assert_eq!(few, all);
}
