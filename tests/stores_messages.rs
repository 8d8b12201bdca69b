//! What processes tell each other, and what they make of it. Two caches on one store stand for two
//! processes.
#![cfg(feature = "stores")]

mod common;

use std::sync::MutexGuard;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use common::{Gate, Step, Task, hears, turn, until};
use dewar::store::Store;
use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, Invalidated, cached, entry, invalidate};
use futures::executor::block_on;

/// The data behind the cache.
static SOURCE: AtomicU64 = AtomicU64::new(1);

fn process(gate: &Gate) -> TestCache {
    let builder = Cache::builder().shared(gate.clone());
    TestCache::with(builder.memory_copies(Duration::from_secs(5))).unwrap()
}

/// Two processes that hear each other.
fn world() -> (MutexGuard<'static, ()>, Gate, TestCache, TestCache) {
    let (turn, gate) = (turn(&SOURCE), Gate::before(FaultyStore::pushing()));
    let (one, other) = (process(&gate), process(&gate));
    assert!(until(|| hears(&one) && hears(&other)));
    (turn, gate, one, other)
}

#[cached(
    timeout = 600,
    key_prefix = "item:{id}",
    tags("items", |value: &u64| vec![format!("odd:{}", value % 2)]),
)]
async fn item(id: u64) -> u64 {
    id * 1000 + SOURCE.load(SeqCst)
}

fn read(cache: &TestCache) -> u64 {
    block_on(cache.run_async(item(7)))
}

type Order = fn() -> Invalidated;

/// Whatever else an invalidation can be made by.
const ORDERS: [(&str, Order); 7] = [
    ("key", || invalidate!(item(7))),
    ("function", || invalidate!(item)),
    ("prefix", || invalidate!(prefix = "item:7")),
    ("pattern", || invalidate!(pattern = "it*")),
    ("tag", || invalidate!(tag = "items")),
    ("tag of the value", || invalidate!(tag = "odd:1")),
    ("everything", || invalidate!(all)),
];

#[test]
fn what_was_read_from_the_store_before_an_invalidation_elsewhere_is_not_kept() {
    for (name, order) in ORDERS {
        let (_turn, gate, one, other) = world();
        assert_eq!(read(&one), 7001);
        gate.shut(Step::Read);
        let mut reader = Task::new(other.run_async(item(7))).waiting();
        assert!(gate.is_waited_at(), "the store has answered");
        // The reader is not polled yet, so it stands where it is.
        gate.open();
        SOURCE.store(3, SeqCst);
        one.run(|| order().wait()).unwrap();
        assert!(until(|| other.stats().messages == 1), "{name}");
        assert_eq!(reader.done(), 7001, "it asked before");
        assert_eq!(read(&other), 7003, "{name}");
        assert_eq!(read(&one), 7003, "{name}");
    }
}

#[test]
fn a_message_names_what_is_invalid_and_carries_no_value() {
    #[cached(timeout = 600, key_prefix = "secrets", tags("all-secrets"))]
    fn secret(of: &str) -> String {
        format!("the value of {of}")
    }
    let (_turn, gate, one, _other) = world();
    one.run(|| {
        secret("an argument");
        entry!(secret("an argument"))
            .put("a value by hand".into())
            .unwrap();
        invalidate!(secret("an argument"), tag = "all-secrets")
            .wait()
            .unwrap();
    });
    let by_hand = one.blocking();
    by_hand
        .set(
            "a key",
            "a value by hand".to_owned(),
            Duration::from_secs(60),
        )
        .unwrap();
    let messages = gate.messages();
    let told = |what: &str| {
        let said = |message: &Vec<u8>| String::from_utf8_lossy(message).contains(what);
        messages.iter().any(said)
    };
    assert!(told("all-secrets"));
    for kept in ["value", "argument", "a key"] {
        assert!(!told(kept), "{kept} is told");
    }
}

#[test]
fn a_message_that_comes_late_or_twice_costs_a_look_at_the_store_and_no_load() {
    let (_turn, gate, one, other) = world();
    assert_eq!(read(&other), 7001);
    SOURCE.store(2, SeqCst);
    one.run(|| invalidate!(item(7)).wait()).unwrap();
    assert!(until(|| read(&other) == 7002));
    let loads = other.stats().loads;
    let told = gate.messages().into_iter().rfind(|message| message[1] == 0);
    let push = gate.store.push().unwrap();
    for n in 2..5 {
        let again = push.publish("dewar:invalidations", told.as_ref().unwrap());
        block_on(again).unwrap();
        assert!(until(|| other.stats().messages == n));
        assert_eq!(read(&other), 7002);
    }
    assert_eq!((other.stats().loads, other.stats().fetched), (loads, 3));
}

#[test]
fn a_channel_that_loses_messages_is_not_trusted_from_the_start() {
    let (_turn, gate) = (turn(&SOURCE), Gate::before(FaultyStore::pushing()));
    gate.store.mute(true);
    let (one, other) = (process(&gate), process(&gate));
    assert!(until(|| gate.store.listening() == 2));
    assert!(until(|| gate.messages().len() >= 2), "both try it out");
    assert!(!hears(&one) && !hears(&other));
    assert_eq!(read(&other), 7001);
    SOURCE.store(2, SeqCst);
    one.run(|| invalidate!(item(7)).wait()).unwrap();
    other.advance(Duration::from_secs(5));
    assert_eq!(read(&other), 7002, "its copy lived shortly");
}

#[test]
fn an_invalidation_costs_the_same_whatever_it_hits() {
    let (_turn, gate, one, other) = world();
    let cost = |order: Order| {
        let before = (gate.store.operations(), gate.messages().len());
        one.run(|| order().wait()).unwrap();
        let hello = |message: &&Vec<u8>| message[1] != 0;
        let messages = gate.messages();
        let told = messages[before.1..].iter().filter(|m| !hello(m)).count();
        (gate.store.operations() - before.0, told)
    };
    let orders = [ORDERS[1], ORDERS[4], ORDERS[6]].map(|(_, order)| order);
    let few = orders.map(cost);
    block_on(one.run_async(async {
        for id in 0..1_000 {
            item(id).await;
        }
    }));
    assert_eq!(orders.map(cost), few);
    assert!(few.iter().all(|cost| *cost == (1, 1)), "{few:?}");
    let reload = other.run_async(item(999));
    assert_eq!((block_on(reload), other.stats().loads), (999_001, 1));
}

#[test]
fn to_set_and_to_remove_in_the_same_instant_is_decided() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (_turn, gate, one, other) = world();
    for n in 0..100_u64 {
        std::thread::scope(|scope| {
            scope.spawn(|| one.blocking().set("k", n, HOUR).unwrap());
            scope.spawn(|| other.blocking().delete("k").unwrap());
        });
        let third = process(&gate);
        let decided = third.blocking().get::<u64>("k");
        assert!(decided.is_none_or(|value| value == n), "{decided:?}");
        let agree = |cache: &TestCache| cache.blocking().get::<u64>("k") == decided;
        assert!(
            until(|| agree(&one) && agree(&other)),
            "round {n}: {decided:?}"
        );
    }
}

#[test]
fn what_is_of_another_type_elsewhere_is_a_miss_and_counted() {
    let (_turn, _, one, other) = world();
    let hour = Duration::from_secs(3600);
    one.blocking().set("k", "text".to_owned(), hour).unwrap();
    assert_eq!(other.blocking().get::<u64>("k"), None);
    assert_eq!(other.stats().undecodable, 1);
    assert_eq!(other.blocking().get("k"), Some("text".to_owned()));
}
