//! Arguments as keys of a shared store: no two that differ meet there, and what only this process
//! can find stays here. Two caches on one store stand for two processes.
#![cfg(feature = "stores")]

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, cached, invalidate};
use serde::Serialize;

fn processes(store: &FaultyStore) -> [TestCache; 2] {
    [(); 2].map(|()| {
        let builder = Cache::builder()
            .shared(store.clone())
            .memory_copies(Duration::from_secs(5));
        TestCache::with(builder).expect("these settings are accepted")
    })
}

/// What serde leaves out, `Hash` and `Eq` do not.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
struct Who {
    id: u64,
    #[serde(skip)]
    tenant: u64,
}

impl Who {
    fn of(tenant: u64) -> Self {
        Who { id: 1, tenant }
    }
}

#[cached(timeout = 60)]
fn whole(who: &Who) -> u64 {
    who.tenant
}

#[cached(timeout = 60)]
fn perhaps(who: Option<&Who>) -> u64 {
    who.map_or(0, |who| who.tenant)
}

#[cached(timeout = 60)]
fn listed(all: &[Who]) -> u64 {
    all.iter().map(|who| who.tenant).sum()
}

#[cached(timeout = 60)]
fn borrowed(all: &[&Who]) -> u64 {
    all.iter().map(|who| who.tenant).sum()
}

#[cached(timeout = 60)]
fn in_a_set(all: &HashSet<Who>) -> u64 {
    all.iter().map(|who| who.tenant).sum()
}

#[cached(timeout = 60)]
fn in_a_map(all: HashMap<Who, Who>) -> u64 {
    all.values().map(|who| who.tenant).sum()
}

#[test]
fn what_serde_leaves_out_of_an_argument_tells_it_apart_on_the_store_too() {
    type Asked = fn(Who) -> u64;
    let functions: [(&str, Asked); 6] = [
        ("by reference", |who| whole(&who)),
        ("in an option", |who| perhaps(Some(&who))),
        ("in a list", |who| listed(&[who])),
        ("borrowed in a list", |who| borrowed(&[&who])),
        ("in a set", |who| in_a_set(&HashSet::from([who]))),
        ("in a map", |who| {
            in_a_map(HashMap::from([(Who::of(1), who)]))
        }),
    ];
    for (how, asked) in functions {
        let [one, other] = processes(&FaultyStore::new());
        assert_eq!(one.run(|| asked(Who::of(7))), 7, "{how}");
        assert_eq!(other.run(|| asked(Who::of(8))), 8, "{how}");
        assert_eq!(other.run(|| asked(Who::of(7))), 7, "{how}");
        assert_eq!(other.stats().loads, 1, "{how}: seven was there");
    }
}

/// Its `Hash` leaves out what its `Eq` compares, as the trait allows.
#[derive(Clone, PartialEq, Eq)]
struct Lazy {
    hashed: u64,
    compared: u64,
}

impl Hash for Lazy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hashed.hash(state);
    }
}

/// A number that means something in one process alone.
#[derive(Hash)]
struct Symbol(u32);

#[cached(timeout = 60, key_prefix = "lazy", tags("lazy"))]
fn lazy(lazy: &Lazy) -> u64 {
    lazy.compared
}

#[cached(timeout = 60)]
fn symbol(symbol: &Symbol, meaning: Skipped) -> u64 {
    let _ = symbol.0;
    meaning.0
}

#[cached(timeout = 60)]
fn since(instant: Instant, meaning: Skipped) -> u64 {
    let _ = instant;
    meaning.0
}

#[cached(timeout = 60)]
fn lazy_perhaps(all: Option<&Lazy>) -> u64 {
    all.map_or(0, |lazy| lazy.compared)
}

#[cached(timeout = 60)]
fn lazy_list(all: Vec<Lazy>) -> u64 {
    all.iter().map(|lazy| lazy.compared).sum()
}

#[cached(timeout = 60)]
fn lazy_set(all: HashSet<Lazy>) -> u64 {
    all.iter().map(|lazy| lazy.compared).sum()
}

/// Counts as nothing.
#[derive(Clone, Copy)]
struct Skipped(u64);

impl PartialEq for Skipped {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Skipped {}

impl Hash for Skipped {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Serialize for Skipped {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_unit()
    }
}

fn compared(compared: u64) -> Lazy {
    Lazy {
        hashed: 1,
        compared,
    }
}

#[test]
fn what_is_known_by_its_hash_alone_stays_in_this_process() {
    let instant = Instant::now();
    type Asked = Box<dyn Fn(u64) -> u64>;
    let functions: [(&str, Asked); 6] = [
        ("lazy", Box::new(|n| lazy(&compared(n)))),
        ("symbol", Box::new(|n| symbol(&Symbol(1), Skipped(n)))),
        ("since", Box::new(move |n| since(instant, Skipped(n)))),
        (
            "lazy_perhaps",
            Box::new(|n| lazy_perhaps(Some(&compared(n)))),
        ),
        ("lazy_list", Box::new(|n| lazy_list(vec![compared(n)]))),
        (
            "lazy_set",
            Box::new(|n| lazy_set(HashSet::from([compared(n)]))),
        ),
    ];
    for (name, asked) in functions {
        let store = FaultyStore::new();
        let [one, other] = processes(&store);
        assert_eq!(one.run(|| asked(7)), 7, "{name}");
        assert_eq!(one.run(|| asked(7)), 7, "{name}");
        assert_eq!((one.stats().hits, one.stats().loads), (1, 1), "{name}");
        assert_eq!(other.run(|| asked(8)), 8, "{name}");
        let alone = other.store_status().unwrap().memory_only;
        assert_eq!(alone, [format!("stores_keys::{name}")]);
        assert_eq!(store.operations(), 0, "{name}");
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Number(u32);

#[cached(timeout = 60)]
fn number(number: Number) -> u32 {
    number.0
}

#[test]
fn an_invalidation_of_what_others_cannot_find_drops_all_of_the_function_there() {
    let store = FaultyStore::pushing();
    let [one, other] = processes(&store);
    let up = |cache: &TestCache| cache.store_status().unwrap().push == Some(true);
    assert!(until(|| up(&one) && up(&other)));
    for cache in [&one, &other] {
        cache.run(|| (number(Number(1)), number(Number(2))));
    }
    one.run(|| invalidate!(number(Number(1))).wait()).unwrap();
    one.run(|| number(Number(2)));
    assert_eq!(one.stats().hits, 1, "here only that call's");
    assert!(until(|| {
        let before = other.stats().loads;
        other.run(|| number(Number(1)));
        other.stats().loads > before
    }));
}

#[test]
fn what_stays_here_is_vouched_for_no_longer_than_a_copy() {
    let [one, other] = processes(&FaultyStore::new());
    one.run(|| lazy(&compared(1)));
    other.run(|| invalidate!(tag = "lazy").wait()).unwrap();
    one.advance(Duration::from_secs(5));
    one.run(|| lazy(&compared(1)));
    assert_eq!(one.stats().loads, 2);
}

/// Waits for what other threads do.
#[cached(timeout = 60, key_prefix = "{prefix}")]
fn under(prefix: &str, n: u64) -> u64 {
    n
}

#[test]
fn an_entry_under_any_prefix_is_shared() {
    for prefix in ["v", "l", "check", ""] {
        let [one, other] = processes(&FaultyStore::new());
        let read = |by: &TestCache| by.run(|| under(prefix, 1));
        assert_eq!((read(&one), read(&other)), (1, 1));
        assert_eq!(other.stats().fetched, 1, "`{prefix}`");
        other.run(|| invalidate!(all).wait()).unwrap();
        assert_eq!((read(&other), other.stats().loads), (1, 1));
    }
}

#[test]
fn any_key_by_hand_is_shared() {
    const HOUR: Duration = Duration::from_secs(3600);
    for key in ["v", "l", "check", ""] {
        let [one, other] = processes(&FaultyStore::new());
        let (one, other) = (one.blocking(), other.blocking());
        assert!(one.add(key, 5u64, HOUR).unwrap(), "`{key}`");
        assert_eq!(other.get(key), Some(5u64), "`{key}`");
        assert_eq!(other.increment(key, 2).unwrap(), 7);
        one.set(key, 8u64, HOUR).unwrap();
        other.delete(key).unwrap();
        assert!(other.add(key, 9u64, HOUR).unwrap(), "`{key}`");
    }
}

fn until(mut holds: impl FnMut() -> bool) -> bool {
    (0..5000).any(|_| {
        std::thread::sleep(Duration::from_millis(1));
        holds()
    })
}
