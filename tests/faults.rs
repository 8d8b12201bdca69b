//! What the network does to a shared store: a proxy stands between a cache and a real server.
//!
//! Whatever happens to the bytes, readers see right values and no errors, an invalidation that was
//! confirmed is one, and what was not is delivered when the network is whole again.
#![cfg(all(feature = "redis", feature = "memcached", feature = "database"))]

mod servers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use dewar::store::{Database, Health, Memcached, Redis, Store};
use dewar::testing::TestCache;
use dewar::{Cache, CacheBuilder, cached, invalidate};
use servers::until;
use servers::proxy::{Fault, Proxy};

/// A server of one of the kinds, and what leads there.
enum Origin {
    Redis(servers::redis::Redis),
    Memcached(servers::memcached::Memcached),
    Postgres(servers::postgres::Postgres),
}

impl Origin {
    fn redis() -> Origin {
        Origin::Redis(servers::redis::Redis::start())
    }

    fn memcached() -> Origin {
        Origin::Memcached(servers::memcached::Memcached::start())
    }

    fn postgres() -> Origin {
        Origin::Postgres(servers::postgres::Postgres::start())
    }

    fn port(&self) -> u16 {
        match self {
            Origin::Redis(server) => server.port(),
            Origin::Memcached(server) => server.0.port,
            Origin::Postgres(server) => server.0.port,
        }
    }

    /// The store at this port: the server's own, or the one of a proxy to it.
    fn open(&self, port: u16) -> Arc<dyn Store> {
        match self {
            Origin::Redis(_) => {
                Arc::new(Redis::open(&format!("redis://127.0.0.1:{port}")).unwrap())
            }
            Origin::Memcached(_) => {
                Arc::new(Memcached::open(&format!("127.0.0.1:{port}")).unwrap())
            }
            Origin::Postgres(_) => {
                let url = format!("postgres://shop:secret@127.0.0.1:{port}/postgres");
                Arc::new(Database::open(&url).unwrap())
            }
        }
    }

    fn pushes(&self) -> bool {
        !matches!(self, Origin::Memcached(_))
    }
}

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
    let builder = Cache::builder()
        .shared(store)
        .memory_copies(Duration::ZERO);
    builder.store_timeout(LIMIT).store_budget(BUDGET)
}

/// A cache that has time enough, whatever the machine does besides.
fn patient(store: Arc<dyn Store>) -> Cache {
    let builder = Cache::builder()
        .shared(store)
        .memory_copies(Duration::ZERO);
    let builder = builder.store_timeout(Duration::from_secs(20));
    builder.build().unwrap()
}

/// Does something with all numbers, on a few threads, each with a proxy of its own.
fn each(origin: &Origin, numbers: impl Iterator<Item = usize>, what: impl Fn(&Proxy, usize) + Sync) {
    let numbers: Vec<usize> = numbers.collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
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
fn answers(origin: &Origin, cache: impl Fn(Arc<dyn Store>) -> Cache, what: impl Fn(&Cache)) -> usize {
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
    assert!(served > 0 && failed > 0, "{served} fetched, {failed} errors");
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
    each(origin, (0..=bytes + 2 * step).step_by(step), |proxy, at| {
        let id = 10 + at as u64;
        read(&other, of, id);
        let store = origin.open(proxy.port);
        let builder = Cache::builder().shared(store).memory_copies(Duration::ZERO);
        // Its clock stands still: nothing is tried again before it is moved.
        let cache = TestCache::with(builder).unwrap();
        let stored = || other.stats().fetched;
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
        let _ = stored;
        let fresh = patient(origin.open(origin.port()));
        read(&fresh, of, id);
        assert_eq!(fresh.stats().loads, 1, "cut at {at}: what was stored is void");
    });
    assert!(confirmed.into_inner() > 0 && refused.into_inner() > 0);
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
    reads_are_right(&Origin::postgres(), 7, Fault::Cut);
}

#[test]
fn redis_invalidations_cut_off_at_any_byte() {
    invalidations_are_delivered(&Origin::redis(), 1);
}
