//! Memcached: one server and several, and what happens when one is gone.
#![cfg(feature = "memcached")]

mod servers;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dewar::store::{Health, Item, Memcached, Store};
use dewar::testing::store_conformance;
use dewar::{Cache, Event, EventKind, cached, invalidate};
use futures::executor::block_on;
use servers::proxy::{Fault, Proxy};
use servers::{Server, until};

fn start() -> Server {
    servers::memcached::Memcached::start().0
}

fn list(servers: &[Server]) -> String {
    let names = servers.iter().map(|it| format!("127.0.0.1:{}", it.port));
    names.collect::<Vec<_>>().join(",")
}

fn open(servers: &[Server]) -> Memcached {
    Memcached::open(&list(servers)).unwrap()
}

static SOURCE: AtomicU64 = AtomicU64::new(1);

#[cached(timeout = 600, key_prefix = "value:{id}")]
fn value(id: u64) -> u64 {
    id * 1000 + SOURCE.load(SeqCst)
}

#[test]
fn one_server() {
    let servers = [start()];
    block_on(store_conformance(&open(&servers), &open(&servers))).unwrap();
}

#[test]
fn several_servers() {
    let servers = [start(), start(), start()];
    let mut other = servers.iter().map(|it| format!("127.0.0.1:{}", it.port));
    let (a, b, c) = (
        other.next().unwrap(),
        other.next().unwrap(),
        other.next().unwrap(),
    );
    let other = Memcached::open(&format!("{c},{a},{b}")).unwrap();
    block_on(store_conformance(&open(&servers), &other)).unwrap();
}

#[test]
fn an_invalidation_is_seen_elsewhere_within_the_bound_and_the_store_may_die() {
    const BOUND: Duration = Duration::from_millis(300);
    let mut servers = [start()];
    let process = || {
        let builder = Cache::builder()
            .shared(open(&servers))
            .memory_copies(BOUND)
            .store_timeout(Duration::from_millis(200));
        builder.build().unwrap()
    };
    let (one, other) = (process(), process());
    let read = |cache: &Cache, id| cache.scope_blocking(|| value(id));
    assert_eq!((read(&one, 1), read(&other, 1)), (1001, 1001));
    assert_eq!(other.stats().loads, 0);
    SOURCE.store(2, SeqCst);
    one.scope_blocking(|| invalidate!(value(1)).wait()).unwrap();
    std::thread::sleep(BOUND);
    assert_eq!((read(&one, 1), read(&other, 1)), (1002, 1002));

    servers[0].kill();
    for id in 2..30 {
        assert_eq!(read(&one, id), id * 1000 + 2);
    }
    assert_eq!(one.store_status().unwrap().health, Health::Down);
    SOURCE.store(3, SeqCst);
    let error = one
        .scope_blocking(|| invalidate!(value(1)).wait())
        .unwrap_err();
    assert!(error.is_store(), "{error}");
    servers[0].run();
    assert!(until(|| one.store_status().unwrap().undelivered == 0));
    assert!(until(|| read(&one, 1) == 1003 && read(&other, 1) == 1003));
}

static OF_THREE: AtomicU64 = AtomicU64::new(1);

#[cached(timeout = 600, key_prefix = "of_three:{id}")]
fn of_three(id: u64) -> u64 {
    id * 1000 + OF_THREE.load(SeqCst)
}

/// What one process sees while this one of three servers is gone, and after that; whether it took the
/// store for down.
fn without(servers: &mut [Server], gone: usize) -> bool {
    const BOUND: Duration = Duration::from_millis(300);
    let store = open(servers);
    let process = || {
        let builder = Cache::builder()
            .shared(store.clone())
            .memory_copies(BOUND)
            .store_timeout(Duration::from_secs(5));
        builder.build().unwrap()
    };
    let (one, other) = (process(), process());
    let are = |cache: &Cache, now: u64| {
        cache.scope_blocking(|| (0..50).all(|id| of_three(id) == id * 1000 + now))
    };
    let health = |cache: &Cache| cache.store_status().unwrap().health;
    let now = OF_THREE.load(SeqCst);
    assert!(until(|| are(&one, now) && are(&other, now)));
    assert_eq!(other.stats().loads, 0);

    servers[gone].kill();
    // Its part of the keys, or of the versions, is missed by most reads: the source is asked.
    let third = process();
    assert!(are(&third, now));
    let stats = third.stats();
    assert!(stats.store_errors > 0 && stats.loads > 0, "{stats:?}");
    let was_down = health(&third) == Health::Down;
    assert!(!was_down || stats.fetched < 50);

    OF_THREE.store(now + 1, SeqCst);
    let invalidate = |id: u64| one.scope_blocking(|| invalidate!(of_three(id)).wait());
    let said: Vec<_> = (0..50).map(invalidate).collect();
    let failed = || said.iter().filter_map(|said| said.as_ref().err());
    assert!(failed().count() > 0 && failed().all(dewar::Error::is_store));
    assert!(one.store_status().unwrap().undelivered > 0);
    assert!(are(&one, now + 1), "at once where it was made");
    std::thread::sleep(BOUND);
    for (id, _) in (0..50).zip(&said).filter(|(_, said)| said.is_ok()) {
        for cache in [&other, &third] {
            let new = id * 1000 + now + 1;
            assert_eq!(cache.scope_blocking(|| of_three(id)), new, "{said:?}");
        }
    }

    servers[gone].run();
    let delivered = || one.store_status().unwrap().undelivered == 0;
    assert!(until(|| delivered() && health(&one) == Health::Up));
    std::thread::sleep(BOUND);
    assert!(are(&other, now + 1) && are(&third, now + 1));
    OF_THREE.store(now + 2, SeqCst);
    for id in 0..50 {
        assert!(until(|| invalidate(id).is_ok()));
    }
    std::thread::sleep(BOUND);
    for cache in [&one, &other, &third] {
        assert!(are(cache, now + 2));
        let id = AtomicU64::new(1000);
        let asks = || cache.scope_blocking(|| of_three(id.fetch_add(1, SeqCst)));
        assert!(until(|| asks() > 0 && health(cache) == Health::Up));
    }
    was_down
}

#[test]
fn one_server_of_three_that_is_gone_costs_loads_and_nothing_else() {
    let mut servers = [start(), start(), start()];
    let down = [0, 1, 2].map(|gone| without(&mut servers, gone));
    // Every read needs the version of everything, which one of them has.
    assert!(down.contains(&true), "{down:?}");
}

#[test]
fn of_connections_that_are_gone_without_a_word_one_is_waited_for() {
    let server = start();
    let proxy = Proxy::to(server.port);
    let store = Memcached::open(&format!("127.0.0.1:{}", proxy.port)).unwrap();
    let builder = Cache::builder().shared(store);
    let cache = builder
        .store_timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    static NEXT: AtomicU64 = AtomicU64::new(1000);
    let read = || {
        let id = NEXT.fetch_add(1, SeqCst);
        assert_eq!(cache.scope_blocking(|| value(id)) / 1000, id);
    };
    // Many at once, so that many connections are idle after that.
    proxy.set(Fault::Late(Duration::from_millis(50)));
    assert!(until(|| {
        std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(read))));
        proxy.connections() >= 8
    }));
    proxy.set(Fault::None);
    assert_eq!(cache.stats().store_errors, 0);

    proxy.orphan();
    (0..20).for_each(|_| read());
    assert_eq!(cache.stats().store_errors, 1);
    assert_eq!(cache.store_status().unwrap().health, Health::Up);
}

#[test]
fn what_is_too_large_is_refused_and_the_connection_goes_on() {
    let servers = [start()];
    let store = open(&servers);
    let item = |size| Item {
        key: "large".into(),
        value: vec![1; size],
        ttl: None,
    };
    let error = block_on(store.set_many(vec![item(2 << 20)])).unwrap_err();
    assert!(error.is_refused(), "{error}");
    block_on(store.set_many(vec![item(10)])).unwrap();
    let found = block_on(store.get_many(&["large".into()])).unwrap();
    assert_eq!(found, [Some(vec![1; 10])]);
}

/// Items that take the place of those of another byte.
fn swaps(count: usize, byte: u8, size: impl Fn(usize) -> usize) -> Vec<(Vec<u8>, Item)> {
    let item = |n: usize| Item {
        key: format!("swapped:{n}"),
        value: vec![byte + 1; size(n)],
        ttl: None,
    };
    (0..count).map(|n| (vec![byte; 1], item(n))).collect()
}

#[test]
fn what_is_too_large_to_take_the_place_of_something_takes_nothing_from_the_others() {
    let servers = [start()];
    let store = open(&servers);
    let (_, old): (Vec<_>, Vec<_>) = swaps(3, 0, |_| 1).into_iter().unzip();
    block_on(store.set_many(old)).unwrap();
    let large = |n| if n == 1 { 2 << 20 } else { 9 };
    let error = block_on(store.swap_many(swaps(3, 1, large))).unwrap_err();
    assert!(error.is_refused(), "{error}");
    let keys = [0, 2].map(|n| format!("swapped:{n}"));
    let found = block_on(store.get_many(&keys)).unwrap();
    assert_eq!(found, [(); 2].map(|()| Some(vec![2; 9])));
}

#[test]
fn many_that_take_the_place_of_others_do_not_wait_for_each_other() {
    let server = start();
    let proxy = Proxy::to(server.port);
    let store = Memcached::open(&format!("127.0.0.1:{}", proxy.port)).unwrap();
    let (_, old): (Vec<_>, Vec<_>) = swaps(400, 0, |_| 1).into_iter().unzip();
    block_on(store.set_many(old)).unwrap();
    assert_eq!(proxy.connections(), 1);
    proxy.set(Fault::Late(Duration::from_millis(1)));
    let swapped = block_on(store.swap_many(swaps(400, 1, |_| 9))).unwrap();
    assert_eq!(swapped, [true; 400]);
    assert_eq!(proxy.connections(), 8, "at once");
}

#[test]
fn a_value_that_the_server_does_not_take_stays_in_memory_and_is_counted() {
    #[cached(timeout = 60, key_prefix = "large")]
    fn large() -> String {
        "x".repeat(2 << 20)
    }
    let servers = [start()];
    let told = Arc::new(Mutex::new(Vec::new()));
    let process = || {
        let told = Arc::clone(&told);
        let tell = move |event: &Event| {
            if let EventKind::StoreFailed(why) = &event.kind {
                told.lock().unwrap().push(why.clone());
            }
        };
        let builder = Cache::builder().shared(open(&servers)).on_event(tell);
        builder
            .store_timeout(Duration::from_secs(5))
            .build()
            .unwrap()
    };
    let (one, other) = (process(), process());
    for cache in [&one, &other] {
        for _ in 0..3 {
            assert_eq!(cache.scope_blocking(large).len(), 2 << 20);
        }
        let stats = cache.stats();
        assert_eq!((stats.loads, stats.hits, stats.store_errors), (1, 2, 1));
        let status = cache.store_status().unwrap();
        assert_eq!((status.health, status.undelivered), (Health::Up, 0));
    }
    assert!(until(|| told.lock().unwrap().len() == 2));
    let told = told.lock().unwrap();
    assert!(told[0].contains("too large"), "{}", told[0]);
}
