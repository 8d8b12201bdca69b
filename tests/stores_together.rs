//! What several processes on one store keep to. Two caches on one store stand for two processes.
#![cfg(feature = "stores")]

mod common;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use common::{hears, turn};
use dewar::store::Store;
use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, Invalidated, cached, invalidate};
use futures::executor::block_on;

/// The data behind the cache.
static SOURCE: AtomicU64 = AtomicU64::new(1);

fn process(store: &FaultyStore) -> TestCache {
    named(store, "dewar")
}

fn named(store: &FaultyStore, namespace: &str) -> TestCache {
    let builder = Cache::builder().shared(store.clone()).namespace(namespace);
    TestCache::with(builder.memory_copies(Duration::from_secs(5))).unwrap()
}

/// Waits for what other threads do, without moving any clock.
fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..5000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it never came to pass");
}

type Order = fn() -> Invalidated;

/// Whatever else an invalidation can be made by.
const ORDERS: [(&str, Order); 7] = [
    ("key", || invalidate!(fenced(1, None))),
    ("function", || invalidate!(fenced)),
    ("prefix", || invalidate!(prefix = "fenced:1")),
    ("pattern", || invalidate!(pattern = "fen*")),
    ("tag", || invalidate!(tag = "known:1")),
    ("tag of the value", || invalidate!(tag = "odd:1")),
    ("everything", || invalidate!(all)),
];

/// While it loads, another process changes the source and invalidates.
#[cached(
    timeout = 60,
    key_prefix = "fenced:{id}",
    tags("known:{id}", |value: &u64| vec![format!("odd:{}", value % 2)]),
    skip(meanwhile)
)]
fn fenced(id: u64, meanwhile: Option<(&TestCache, Order)>) -> u64 {
    let old = SOURCE.load(SeqCst);
    if let Some((other, order)) = meanwhile {
        SOURCE.store(old + 2, SeqCst);
        other.run(|| order().wait()).unwrap();
    }
    old
}

#[test]
fn a_load_from_before_an_invalidation_elsewhere_is_void_by_whatever_it_was_made() {
    let _turn = turn(&SOURCE);
    for store in [FaultyStore::new(), FaultyStore::pushing()] {
        let pushes = store.push().is_some();
        let (one, other) = (process(&store), process(&store));
        until(|| !pushes || hears(&one) && hears(&other));
        for (name, order) in ORDERS {
            // There is something already, so that a value's tags have versions.
            let now = one.run(|| fenced(1, None));
            one.run(|| invalidate!(prefix = "fenced").wait()).unwrap();
            let begun = one.run(|| fenced(1, Some((&other, order))));
            assert_eq!(begun, now, "{name}: its own caller began before");
            let read = |cache: &TestCache| cache.run(|| fenced(1, None));
            assert_eq!(read(&other), now + 2, "{name}");
            if pushes {
                until(|| read(&one) == now + 2);
            } else {
                one.advance(Duration::from_secs(5));
                assert_eq!(read(&one), now + 2, "{name}");
            }
            assert_eq!(read(&process(&store)), now + 2, "{name}: a third");
        }
    }
}

#[cached(timeout = 60, key_prefix = "plain:{id}", tags("plain"))]
fn plain(id: u64) -> u64 {
    id * 1000 + SOURCE.load(SeqCst)
}

#[test]
fn namespaces_on_one_store_know_nothing_of_each_other() {
    let _turn = turn(&SOURCE);
    let store = FaultyStore::pushing();
    let (shop, blog) = (named(&store, "shop"), named(&store, "blog"));
    let second = named(&store, "blog");
    until(|| hears(&shop) && hears(&blog) && hears(&second));
    let read = |cache: &TestCache| cache.run(|| plain(1));
    assert_eq!((read(&shop), read(&blog)), (1001, 1001));
    assert_eq!((shop.stats().loads, blog.stats().loads), (1, 1));
    SOURCE.store(2, SeqCst);
    blog.run(|| invalidate!(tag = "plain").wait()).unwrap();
    until(|| second.stats().messages == 1);
    assert_eq!((read(&shop), read(&blog)), (1001, 1002));
    assert_eq!(shop.stats().messages, 0);
}

#[test]
fn a_message_that_is_not_understood_is_counted_and_the_channel_goes_on() {
    let _turn = turn(&SOURCE);
    let store = FaultyStore::pushing();
    let (one, other) = (process(&store), process(&store));
    until(|| hears(&one) && hears(&other));
    let push = store.push().unwrap();
    for noise in [&b""[..], b"noise", &[0xff; 5000]] {
        block_on(push.publish("dewar:invalidations", noise)).unwrap();
    }
    until(|| other.stats().undecodable_messages == 3);
    assert_eq!(other.run(|| plain(1)), 1001);
    SOURCE.store(2, SeqCst);
    one.run(|| invalidate!(plain(1)).wait()).unwrap();
    until(|| other.run(|| plain(1)) == 1002);
}

#[test]
fn a_hundred_tags_on_an_entry_are_one_operation() {
    #[cached(
        timeout = 60,
        key_prefix = "tagged",
        tags(
            "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b0", "b1", "b2", "b3",
            "b4", "b5", "b6", "b7", "b8", "b9", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7",
            "c8", "c9", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "e0", "e1",
            "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9", "f0", "f1", "f2", "f3", "f4", "f5",
            "f6", "f7", "f8", "f9", "g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "g9",
            "h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9", "i0", "i1", "i2", "i3",
            "i4", "i5", "i6", "i7", "i8", "i9", "j0", "j1", "j2", "j3", "j4", "j5", "j6", "j7",
            "j8", "j9"
        )
    )]
    fn tagged(id: u64) -> u64 {
        id
    }
    let _turn = turn(&SOURCE);
    let store = FaultyStore::new();
    let (one, other) = (process(&store), process(&store));
    assert_eq!(one.run(|| tagged(1)), 1);
    let before = store.operations();
    assert_eq!(other.run(|| tagged(1)), 1);
    assert_eq!((store.operations() - before, other.stats().loads), (1, 0));
}

#[test]
fn callers_share_a_load_while_the_store_is_gone() {
    #[cached(timeout = 60, key_prefix = "together")]
    fn together(id: u64) -> u64 {
        std::thread::sleep(Duration::from_millis(100));
        id
    }
    let _turn = turn(&SOURCE);
    let store = FaultyStore::new();
    let one = process(&store);
    store.fail(true);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(one.run(|| together(1)), 1));
        }
    });
    assert_eq!(one.stats().loads, 1);
}
