//! What the network does to a shared store: a proxy stands between a cache and a real server.
//!
//! Whatever happens to the bytes, readers see right values and no errors, an invalidation that was
//! confirmed is one, and what was not is delivered when the network is whole again.
#![cfg(all(feature = "redis", feature = "memcached", feature = "database"))]

#[path = "servers/origin.rs"]
mod origin;
mod servers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use dewar::store::{Health, Store};
use dewar::testing::TestCache;
use dewar::{Cache, CacheBuilder, cached, invalidate};
use origin::Origin;
use servers::proxy::{Fault, Proxy};
use servers::until;

/// The data behind the cache: a number for each test.
static SOURCES: [AtomicU64; 64] = [const { AtomicU64::new(1) }; 64];

fn next_source() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, SeqCst)
}

#[cached(timeout = 600, key_prefix = "value:{of}:{id}", tags("values:{of}"))]
fn value(of: usize, id: u64) -> u64 {
    id * 1000 + SOURCES[of].load(SeqCst)
}

fn read(cache: &Cache, of: usize, id: u64) -> u64 {
    cache.scope_blocking(|| value(of, id))
}

const LIMIT: Duration = Duration::from_millis(60);
const BUDGET: Duration = Duration::from_millis(120);
/// What a busy machine may add to what a call takes.
const SLACK: Duration = Duration::from_millis(1500);

/// A cache whose every read asks the store, and which listens to nobody.
fn plain(store: Arc<dyn Store>) -> CacheBuilder {
    let builder = Cache::builder().shared(store).memory_copies(Duration::ZERO);
    builder.store_timeout(LIMIT).store_budget(BUDGET)
}

/// A cache that has time enough, whatever the machine does besides.
fn patient(store: Arc<dyn Store>) -> Cache {
    let builder = Cache::builder().shared(store).memory_copies(Duration::ZERO);
    let builder = builder.store_timeout(Duration::from_secs(20));
    builder.build().unwrap()
}

/// For a clock that is moved by hand, faster than servers answer.
fn unhurried(store: Arc<dyn Store>) -> CacheBuilder {
    let builder = Cache::builder().shared(store);
    let builder = builder.memory_copies(Duration::ZERO);
    builder.store_timeout(Duration::from_secs(36_000))
}

/// Does something with all numbers, on a few threads, each with a proxy of its own.
fn each(
    origin: &Origin,
    numbers: impl Iterator<Item = usize>,
    what: impl Fn(&Proxy, usize) + Sync,
) {
    let numbers: Vec<usize> = numbers.collect();
    let next = AtomicUsize::new(0);
    // PostgreSQL takes a hundred connections.
    let threads = if let Origin::Postgres(_) = origin {
        5
    } else {
        16
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let proxy = Proxy::to(origin.port());
                while let Some(number) = numbers.get(next.fetch_add(1, SeqCst)) {
                    what(&proxy, *number);
                    proxy.set(Fault::None);
                }
            });
        }
    });
}

/// How many bytes a cache is answered by the server while it does this.
fn answers(
    origin: &Origin,
    cache: impl Fn(Arc<dyn Store>) -> Cache,
    what: impl Fn(&Cache),
) -> usize {
    let proxy = Proxy::to(origin.port());
    what(&cache(origin.open(proxy.port)));
    proxy.answered()
}

/// Reads of what is there and of what is not, with something wrong at every so many bytes.
fn reads_are_right(origin: &Origin, step: usize, fault: fn(usize) -> Fault) {
    let of = next_source();
    let other = patient(origin.open(origin.port()));
    assert_eq!(read(&other, of, 1), 1001);
    let bytes = answers(origin, patient, |cache| {
        assert_eq!(read(cache, of, 1), 1001);
        assert_eq!(read(cache, of, 2), 2001);
    });
    assert!(bytes > 100, "{bytes}");
    let (served, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    each(origin, (0..=bytes).step_by(step), |proxy, at| {
        proxy.set(fault(at));
        let cache = plain(origin.open(proxy.port)).build().unwrap();
        let fresh = 10 + at as u64;
        for id in [1, fresh, 1, fresh] {
            let begun = Instant::now();
            assert_eq!(read(&cache, of, id), id * 1000 + 1, "{:?}", fault(at));
            assert!(begun.elapsed() < BUDGET + SLACK, "{:?}", begun.elapsed());
        }
        assert_eq!(read(&other, of, fresh), fresh * 1000 + 1);
        let stats = cache.stats();
        assert_eq!(stats.loads + stats.fetched, 4, "{stats:?}");
        served.fetch_add(stats.fetched, SeqCst);
        failed.fetch_add(stats.store_errors, SeqCst);
        proxy.set(Fault::None);
        assert!(
            until(|| {
                let before = cache.stats().fetched;
                read(&cache, of, 1) == 1001 && cache.stats().fetched > before
            }),
            "{:?} does not heal",
            fault(at)
        );
    });
    let (served, failed) = (served.into_inner(), failed.into_inner());
    assert!(
        served > 0 && failed > 0,
        "{served} fetched, {failed} errors"
    );
    assert_eq!(other.stats().store_errors, 0);
}

/// Invalidations with answers cut at every so many bytes: one that was confirmed is seen by others,
/// one that was not is delivered by itself.
fn invalidations_are_delivered(origin: &Origin, step: usize) {
    let of = next_source();
    let other = patient(origin.open(origin.port()));
    let change = |id: u64| invalidate!(value(of, id)).wait();
    let bytes = answers(origin, patient, |cache| {
        cache.scope_blocking(|| change(1)).unwrap();
    });
    let (confirmed, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    each(
        origin,
        (0..bytes).step_by(step).chain([1 << 20]),
        |proxy, at| {
            let id = 10 + at as u64;
            read(&other, of, id);
            let store = origin.open(proxy.port);
            // Its clock stands still: nothing is tried again before it is moved, nor given up.
            let cache = TestCache::with(unhurried(store)).unwrap();
            proxy.set(Fault::Cut(at));
            match cache.run(|| change(id)) {
                Ok(()) => {
                    confirmed.fetch_add(1, SeqCst);
                    assert_eq!(cache.store_status().unwrap().undelivered, 0);
                }
                Err(error) => {
                    refused.fetch_add(1, SeqCst);
                    assert!(error.is_store(), "{error}");
                    assert_eq!(cache.store_status().unwrap().undelivered, 1);
                    assert!(cache.stats().store_errors > 0);
                }
            }
            proxy.set(Fault::None);
            assert!(until(|| {
                cache.advance(Duration::from_millis(500));
                cache.store_status().unwrap().undelivered == 0
            }));
            let fresh = patient(origin.open(origin.port()));
            read(&fresh, of, id);
            assert_eq!(
                fresh.stats().loads,
                1,
                "cut at {at}: what was stored is void"
            );
        },
    );
    assert!(confirmed.into_inner() > 0 && refused.into_inner() > 0);
}

fn health(cache: &Cache) -> Health {
    cache.store_status().unwrap().health
}

fn undelivered(cache: &Cache) -> usize {
    cache.store_status().unwrap().undelivered
}

/// How long memory's copies may be late.
const BOUND: Duration = Duration::from_millis(400);

/// Two processes, one of them behind a proxy. Something is wrong for a while, and then it is not.
fn it_is_survived(origin: &Origin, proxy: &Proxy, fault: Fault) {
    let of = next_source();
    let process = |port| {
        let builder = plain(origin.open(port)).memory_copies(BOUND);
        builder.build().unwrap()
    };
    let (one, other) = (process(proxy.port), process(origin.port()));
    let hears = |cache: &Cache| cache.store_status().unwrap().push != Some(false);
    let well = || hears(&one) && hears(&other) && health(&one) == Health::Up;
    let fresh = AtomicU64::new(1000);
    let asks = || {
        let id = fresh.fetch_add(1, SeqCst);
        read(&one, of, id) == id * 1000 + SOURCES[of].load(SeqCst)
    };
    assert!(until(|| asks() && well()), "{fault:?}: not well before");
    for id in 1..=3 {
        assert!(until(|| read(&one, of, id) == read(&other, of, id)));
    }

    let before = one.stats();
    proxy.set(fault);
    for id in 100..140 {
        let begun = Instant::now();
        assert_eq!(read(&one, of, id), id * 1000 + 1, "{fault:?}");
        let took = begun.elapsed();
        assert!(took < BUDGET + SLACK, "{fault:?}: {took:?} for one call");
    }
    let after = one.stats();
    assert_eq!(after.loads, before.loads + 40, "{fault:?}");
    // So many in a row, and after that only those that ask whether it is back.
    let errors = after.store_errors - before.store_errors;
    assert!((5..40).contains(&errors), "{fault:?}: {errors}");
    assert_eq!(health(&one), Health::Down, "{fault:?}");
    SOURCES[of].store(2, SeqCst);
    let said = one.scope_blocking(|| invalidate!(tag = "values:{of}").wait());
    assert!(said.unwrap_err().is_store(), "{fault:?}");
    assert!(undelivered(&one) > 0, "{fault:?}");
    assert_eq!(
        read(&one, of, 1),
        1002,
        "{fault:?}: at once where it was made"
    );

    // What was connected does not come back; what connects now is well.
    proxy.orphan();
    proxy.set(Fault::None);
    assert!(until(|| asks() && well()), "{fault:?}: does not heal");
    assert!(until(|| undelivered(&one) == 0), "{fault:?}: not delivered");
    for id in (1..=3).chain(100..140) {
        let new = id * 1000 + 2;
        assert!(
            until(|| read(&other, of, id) == new),
            "{fault:?}: elsewhere"
        );
        assert_eq!(read(&one, of, id), new, "{fault:?}");
    }
    // The other way round, by a message where there are some.
    SOURCES[of].store(3, SeqCst);
    other
        .scope_blocking(|| invalidate!(tag = "values:{of}").wait())
        .unwrap();
    assert!(until(|| read(&one, of, 1) == 1003), "{fault:?}: and back");
    let third = patient(origin.open(origin.port()));
    for id in (1..=3).chain(100..140) {
        let new = id * 1000 + 3;
        assert_eq!(read(&third, of, id), new, "{fault:?}");
        assert!(until(|| read(&one, of, id) == new), "{fault:?}");
    }
    assert_eq!(third.stats().store_errors, 0);
}

fn all_are_survived(origin: &Origin) {
    let faults = [
        Fault::Refused,
        Fault::Reset,
        Fault::BlackHole,
        Fault::HalfOpen,
        Fault::Drip(Duration::from_secs(1)),
        Fault::Late(Duration::from_millis(500)),
        Fault::Garbage,
        Fault::Reordered,
    ];
    std::thread::scope(|scope| {
        for fault in faults {
            scope.spawn(move || {
                let proxy = Proxy::to(origin.port());
                it_is_survived(origin, &proxy, fault);
            });
        }
    });
}

/// A connection is reset whenever something is asked: five failures, then none asks but one when
/// the pause is over, however many want to.
fn one_asks_whether_it_is_back(origin: &Origin) {
    let of = next_source();
    let proxy = Proxy::to(origin.port());
    let store = origin.open(proxy.port);
    let cache = TestCache::with(unhurried(store)).unwrap();
    let ask = |id| assert_eq!(cache.run(|| value(of, id)), id * 1000 + 1);
    proxy.set(Fault::Reset);
    (0..5).for_each(ask);
    assert_eq!((proxy.connections(), health(&cache)), (5, Health::Down));
    (100..200).for_each(ask);
    assert_eq!(proxy.connections(), 5, "it is left alone");
    let mut pause = Duration::from_secs(1);
    for probes in 1..=4 {
        cache.advance(pause);
        std::thread::scope(|scope| {
            (0..8).for_each(|n| drop(scope.spawn(move || ask(1000 * probes + n))));
        });
        assert_eq!(proxy.connections() as u64, 5 + probes, "one has asked");
        pause *= 2;
    }
    proxy.set(Fault::None);
    cache.advance(pause);
    ask(1);
    assert_eq!(health(&cache), Health::Up);
    let before = cache.stats();
    ask(1);
    assert_eq!(cache.stats().store_errors, before.store_errors);
}

/// What listens is cut off, time and again, at some byte: whatever the other process invalidates
/// is seen in time.
fn the_channel_may_be_cut_anywhere(origin: &Origin, word: &'static str, step: usize, bytes: usize) {
    let of = next_source();
    let other = patient(origin.open(origin.port()));
    let lost = AtomicU64::new(0);
    each(origin, (0..bytes).step_by(step), |proxy, at| {
        let id = at as u64;
        let key = || value(of, 10_000 + id);
        proxy.set_on(word, Fault::Cut(at));
        let builder = Cache::builder().shared(origin.open(proxy.port));
        let builder = builder.store_timeout(Duration::from_secs(20));
        let cache = builder.memory_copies(BOUND).build().unwrap();
        for _ in 0..2 {
            let old = cache.scope_blocking(key);
            SOURCES[of].fetch_add(1, SeqCst);
            other
                .scope_blocking(|| invalidate!(value(of, 10_000 + id)).wait())
                .unwrap();
            let begun = Instant::now();
            assert!(until(|| cache.scope_blocking(key) != old));
            let late = begun.elapsed();
            assert!(late < BOUND + SLACK, "cut at {at}: {late:?} late");
        }
        lost.fetch_add(
            u64::from(cache.store_status().unwrap().push == Some(false)),
            SeqCst,
        );
        assert_eq!(cache.stats().store_errors, 0);
    });
    assert!(lost.into_inner() > 0);
}

#[test]
fn redis_cut_off_at_any_byte() {
    reads_are_right(&Origin::redis(), 1, Fault::Cut);
}

#[test]
fn memcached_cut_off_at_any_byte() {
    reads_are_right(&Origin::memcached(), 1, Fault::Cut);
}

#[test]
fn postgres_cut_off_at_any_few_bytes() {
    reads_are_right(&Origin::postgres(), 11, Fault::Cut);
}

#[test]
fn redis_with_a_byte_that_is_lost_changed_or_out_of_order() {
    let origin = Origin::redis();
    reads_are_right(&origin, 5, Fault::Lost);
    reads_are_right(&origin, 5, Fault::Changed);
    reads_are_right(&origin, 5, Fault::Swapped);
}

#[test]
fn memcached_with_a_byte_that_is_lost_changed_or_out_of_order() {
    let origin = Origin::memcached();
    reads_are_right(&origin, 5, Fault::Lost);
    reads_are_right(&origin, 5, Fault::Changed);
    reads_are_right(&origin, 5, Fault::Swapped);
}

#[test]
fn redis_silent_from_any_byte_on() {
    reads_are_right(&Origin::redis(), 9, Fault::Silent);
}

#[test]
fn memcached_silent_from_any_byte_on() {
    reads_are_right(&Origin::memcached(), 9, Fault::Silent);
}

#[test]
fn redis_invalidations_cut_off_at_any_byte() {
    invalidations_are_delivered(&Origin::redis(), 1);
}

#[test]
fn memcached_invalidations_cut_off_at_any_byte() {
    invalidations_are_delivered(&Origin::memcached(), 1);
}

#[test]
fn postgres_invalidations_cut_off_at_any_few_bytes() {
    invalidations_are_delivered(&Origin::postgres(), 23);
}

#[test]
fn a_listener_of_redis_cut_off_at_any_few_bytes() {
    the_channel_may_be_cut_anywhere(&Origin::redis(), "SUBSCRIBE", 5, 250);
}

#[test]
fn a_listener_of_postgres_cut_off_at_any_few_bytes() {
    the_channel_may_be_cut_anywhere(&Origin::postgres(), "LISTEN", 25, 1000);
}

#[test]
fn whatever_is_wrong_on_the_way_to_redis_is_survived() {
    all_are_survived(&Origin::redis());
}

#[test]
fn whatever_is_wrong_on_the_way_to_memcached_is_survived() {
    all_are_survived(&Origin::memcached());
}

#[test]
fn whatever_is_wrong_on_the_way_to_postgres_is_survived() {
    all_are_survived(&Origin::postgres());
}

#[test]
fn of_all_who_want_to_know_one_asks_whether_redis_is_back() {
    one_asks_whether_it_is_back(&Origin::redis());
}

#[test]
fn of_all_who_want_to_know_one_asks_whether_memcached_is_back() {
    one_asks_whether_it_is_back(&Origin::memcached());
}

#[test]
fn of_all_who_want_to_know_one_asks_whether_postgres_is_back() {
    one_asks_whether_it_is_back(&Origin::postgres());
}
