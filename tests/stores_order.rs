//! Nothing is told before the store has it: not a value to those who wait for it, nor to anybody
//! by way of memory, nor an invalidation or the end of a load to other processes. Two caches on one
//! store stand for two processes.
#![cfg(feature = "stores")]

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use common::{End, Gate, Source, Step, Steps, Task, hears, secs, until};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{BoxFuture, Cache, Invalidated, cached, entry, invalidate};

const LIMIT: Duration = Duration::from_millis(100);

struct World {
    gate: Gate,
    one: TestCache,
    other: TestCache,
    /// The background of the first.
    background: Steps,
}

impl World {
    fn new(store: FaultyStore) -> World {
        let gate = Gate::before(store);
        let background = Steps::default();
        let process = || {
            let builder = Cache::builder().shared(gate.clone());
            let builder = builder.store_timeout(LIMIT).runtime(background.clone());
            TestCache::with(builder.memory_copies(LIMIT * 1000)).unwrap()
        };
        World {
            one: process(),
            other: process(),
            background,
            gate,
        }
    }

    /// Both hear each other.
    fn pushing() -> World {
        let world = World::new(FaultyStore::pushing());
        for cache in [&world.one, &world.other] {
            assert!(until(|| hears(cache)));
        }
        world
    }

    fn call<F: Future + 'static>(&self, of: &TestCache, call: fn() -> F) -> Task<F::Output> {
        Task::new(of.run_async(async move { call().await }))
    }
}

#[cached(timeout = 60, key_prefix = "plain")]
async fn plain(id: u64) -> u64 {
    id
}

#[cached(timeout = 60, key_prefix = "leased", single_flight = "distributed")]
async fn leased(id: u64) -> u64 {
    id
}

#[cached(timeout = 60, key_prefix = "fresh", refresh_ahead = 0.5)]
async fn ahead(id: u64) -> u64 {
    static LOADS: AtomicU64 = AtomicU64::new(0);
    id * 1000 + LOADS.fetch_add(1, SeqCst)
}

#[cached(timeout = 60, key_prefix = "many", batch = ids)]
async fn many(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[cached(timeout = 60, key_prefix = "blocking")]
fn blocking(id: u64) -> u64 {
    id
}

async fn one_of_many() -> u64 {
    many(&[7]).await[&7]
}

async fn by_hand() -> u64 {
    let load = || async { Ok::<u64, ()>(7) };
    Cache::current()
        .get_or_load("hand", secs(60), load)
        .await
        .unwrap()
}

type Call = fn() -> BoxFuture<'static, u64>;

/// Each way to load the value 7 that can be waited for.
const WAYS: [(&str, Call); 5] = [
    ("function", || Box::pin(plain(7))),
    ("distributed", || Box::pin(leased(7))),
    ("batch", || Box::pin(one_of_many())),
    ("by hand", || Box::pin(by_hand())),
    ("refresh", || Box::pin(entry!(plain(7)).refresh())),
];

#[test]
fn a_loaded_value_is_given_to_nobody_before_the_store_has_it() {
    for (name, call) in WAYS {
        println!("{name}");
        let world = World::new(FaultyStore::new());
        world.gate.shut(Step::Value);
        let mut first = world.call(&world.one, call).waiting();
        assert!(world.gate.is_waited_at(), "it has loaded, and writes");
        // To refresh is to load once more whatever others do.
        let again = if name == "refresh" { WAYS[0].1 } else { call };
        let mut second = world.call(&world.one, again).waiting();
        assert_eq!(world.one.stats().entries, 0, "memory has it");
        world.gate.open();
        assert_eq!(first.done(), 7);
        assert_eq!(second.done(), 7);
        assert_eq!(world.call(&world.one, again).done(), 7);
        assert_eq!(world.call(&world.other, again).done(), 7);
        assert_eq!((world.one.stats().loads, world.other.stats().loads), (1, 0));
    }
}

#[test]
fn a_store_that_does_not_take_it_is_waited_for_as_long_as_an_operation_may_take() {
    for (name, call) in WAYS {
        println!("{name}");
        let world = World::new(FaultyStore::new());
        world.gate.shut(Step::Value);
        let mut first = world.call(&world.one, call).waiting();
        world.one.advance(LIMIT - Duration::from_nanos(1));
        first.pending();
        world.one.advance(Duration::from_nanos(1));
        assert_eq!(first.done(), 7, "the write is given up");
        assert_eq!(world.one.stats().store_errors, 1);
        assert_eq!(world.one.stats().entries, 1, "memory has it by now");
        world.gate.open();
        let again = if name == "refresh" { WAYS[0].1 } else { call };
        assert_eq!(world.call(&world.one, again).done(), 7);
        assert_eq!(world.one.stats().loads, 1);
    }
}

#[test]
fn callers_of_a_synchronous_function_wait_for_the_store_as_well() {
    let world = World::new(FaultyStore::new());
    world.gate.shut(Step::Value);
    let call = || {
        let one = world.one.clone();
        std::thread::spawn(move || one.run(|| blocking(7)))
    };
    let first = call();
    assert!(until(|| world.gate.is_waited_at()));
    let second = call();
    assert!(until(|| world.one.stats().coalesced == 1));
    std::thread::sleep(Duration::from_millis(20));
    assert!(!first.is_finished() && !second.is_finished());
    assert_eq!(world.one.run(|| entry!(blocking(7)).get()), None);
    world.gate.open();
    assert_eq!((first.join().unwrap(), second.join().unwrap()), (7, 7));
    assert_eq!(world.one.stats().loads, 1);
}

#[test]
fn what_a_refresh_in_the_background_brings_is_served_when_the_store_has_it() {
    let world = World::new(FaultyStore::new());
    let call = || world.call(&world.one, || ahead(7)).done();
    let old = call();
    world.one.advance(secs(31));
    world.gate.shut(Step::Value);
    assert_eq!(call(), old);
    world.background.step();
    assert!(world.gate.is_waited_at(), "it has loaded, and writes");
    assert_eq!(call(), old);
    world.gate.open();
    world.background.step();
    assert_eq!(call(), old + 1);
    assert_eq!(world.one.stats().loads, 2);
}

#[test]
fn an_invalidation_is_told_when_the_store_has_it_and_not_before() {
    type Order = fn() -> Invalidated;
    let orders: [(&str, Order); 4] = [
        ("key", || invalidate!(plain(7))),
        ("tags", || {
            invalidate!(tag = "a", tag = "b", prefix = "plain")
        }),
        ("soft", || invalidate!(soft, tag = "a")),
        ("everything", || invalidate!(all)),
    ];
    let world = World::pushing();
    for (name, order) in orders {
        world.gate.shut(Step::Version);
        let confirmation = world.one.run(order);
        let mut confirmation = Task::new(confirmation).waiting();
        assert!(world.gate.is_waited_at());
        assert_eq!(world.gate.steps(), [], "{name}");
        world.gate.open();
        confirmation.done().unwrap();
        assert_eq!(
            world.gate.steps(),
            [Step::Version, Step::ToldInvalid],
            "{name}"
        );
    }
    world.gate.store.fail(true);
    world.one.run(|| invalidate!(plain(7)).wait()).unwrap_err();
    assert_eq!(world.gate.steps(), [], "the store has not got it");
}

#[cached(timeout = 60, stale_while_revalidate = 60, key_prefix = "kept")]
async fn kept(id: u64) -> u64 {
    static LOADS: AtomicU64 = AtomicU64::new(0);
    id * 1000 + LOADS.fetch_add(1, SeqCst)
}

#[test]
fn an_invalidation_that_nobody_was_told_of_is_not_softened_by_the_next() {
    let world = World::pushing();
    let old = world.call(&world.other, || kept(7)).done();
    world.gate.shut(Step::ToldInvalid);
    let hard = world.one.run(|| invalidate!(kept(7)));
    let mut hard = Task::new(hard).waiting();
    world.one.advance(LIMIT);
    hard.done().unwrap_err();
    world.gate.open();
    world.one.run(|| invalidate!(soft, kept(7)).wait()).unwrap();
    // It is told by another thread. What is soft would be served until the background has run.
    assert!(until(|| world.call(&world.other, || kept(7)).done() > old));
}

#[test]
fn what_is_written_by_hand_is_told_when_the_store_has_it() {
    let world = World::pushing();
    let one = world.one.blocking();
    // What was there is void before what takes its place is written.
    one.set("n", 1_i64, secs(60)).unwrap();
    let replaced = [Step::Version, Step::ToldInvalid, Step::Version, Step::Value];
    assert_eq!(world.gate.steps(), replaced);
    one.increment("n", 1).unwrap();
    assert_eq!(world.gate.steps(), [Step::Value, Step::ToldInvalid]);
    one.touch("n", secs(120)).unwrap();
    assert_eq!(world.gate.steps(), [Step::Value, Step::ToldInvalid]);
    one.add("m", 1_i64, secs(60)).unwrap();
    let added = [Step::Version, Step::Value, Step::ToldInvalid];
    assert_eq!(
        world.gate.steps(),
        added,
        "the store may have lost what others have copies of"
    );
}

#[test]
fn the_end_of_a_load_is_told_when_the_store_has_its_value() {
    #[cached(
        timeout = 60,
        key_prefix = "waited",
        single_flight = "distributed",
        skip(source)
    )]
    async fn waited(source: Arc<Source>, id: u64) -> u64 {
        source.load().await.unwrap_or_default() + id
    }
    let world = World::pushing();
    let source = Source::shut(0);
    let call = |cache: &TestCache| {
        let source = Arc::clone(&source);
        Task::new(cache.run_async(async move { waited(source, 7).await }))
    };
    let mut first = call(&world.one).waiting();
    let mut second = call(&world.other).waiting();
    assert_eq!(source.begun(), 1, "the other waits, and has left its mark");
    world.gate.steps();
    world.gate.shut(Step::Value);
    source.end_all(End::Well);
    first.pending();
    assert_eq!(world.gate.steps(), []);
    second.pending();
    world.gate.open();
    assert_eq!(first.done(), 7);
    assert_eq!(
        world.gate.steps(),
        [Step::Value, Step::Lease, Step::Lease, Step::ToldLoaded]
    );
    // It is told by another thread.
    assert!(until(|| second.step().is_ready()));
}
