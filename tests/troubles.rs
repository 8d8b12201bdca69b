//! What goes wrong with the servers themselves: slots that move, masters that die, disks and
//! memories that are full, clocks that differ.
#![cfg(all(
    feature = "redis",
    feature = "memcached",
    feature = "database",
    feature = "filesystem"
))]

#[path = "servers/origin.rs"]
mod origin;
mod servers;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use dewar::store::{Filesystem, Health, Item, Redis as RedisStore, Store};
use dewar::testing::{TestCache, store_conformance};
use dewar::{Cache, cached, invalidate};
use futures::executor::block_on;
use origin::{Origin, open};
use servers::memcached::Memcached;
use servers::postgres::Postgres;
use servers::redis::{Cluster, Redis};
use servers::{Directory, until};

/// The data behind the cache: a number for each test.
static SOURCES: [AtomicU64; 16] = [const { AtomicU64::new(1) }; 16];

#[cached(timeout = 600, key_prefix = "value:{of}:{id}", tags("values:{of}"))]
fn value(of: usize, id: u64) -> u64 {
    id * 1000 + SOURCES[of].load(SeqCst)
}

fn read(cache: &Cache, of: usize, id: u64) -> u64 {
    cache.scope_blocking(|| value(of, id))
}

/// A process whose every read asks the store.
fn process(store: Arc<dyn Store>) -> Cache {
    let builder = Cache::builder().shared(store);
    let builder = builder.memory_copies(Duration::ZERO);
    let builder = builder.store_timeout(Duration::from_secs(10));
    builder.build().unwrap()
}

fn of_cluster(cluster: &Cluster) -> Cache {
    process(Arc::new(RedisStore::open(&cluster.url()).unwrap()))
}

fn undelivered(cache: &Cache) -> usize {
    cache.store_status().unwrap().undelivered
}

#[test]
fn slots_that_move_while_they_are_read() {
    let cluster = Cluster::with_replicas();
    let (one, other) = (of_cluster(&cluster), of_cluster(&cluster));
    const IDS: u64 = 30;
    for id in 0..IDS {
        assert_eq!(read(&one, 0, id), read(&other, 0, id));
    }
    assert_eq!(other.stats().loads, 0);
    let keys = cluster.0[0].command(&["KEYS", "*"]);
    let slot = |key: &str| {
        let slot = cluster.0[0].command(&["CLUSTER", "KEYSLOT", key]);
        slot.trim().trim_start_matches(':').to_owned()
    };
    let mut slots: Vec<String> = keys.lines().skip(2).step_by(2).map(slot).collect();
    slots.sort();
    slots.dedup();
    assert!(slots.len() > 10, "{slots:?}");

    let (done, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(SeqCst) {
                for id in 0..IDS {
                    assert_eq!(read(&other, 0, id), id * 1000 + 1);
                    reads.fetch_add(1, SeqCst);
                }
            }
        });
        for slot in &slots {
            cluster.move_slot(slot, 0, 1, || {
                let before = reads.load(SeqCst);
                assert!(until(|| reads.load(SeqCst) > before + IDS));
            });
        }
        done.store(true, SeqCst);
    });
    let stats = other.stats();
    assert_eq!((stats.loads, stats.store_errors), (0, 0), "nobody noticed");
    SOURCES[0].store(2, SeqCst);
    one.scope_blocking(|| invalidate!(tag = "values:0").wait())
        .unwrap();
    for id in 0..IDS {
        assert_eq!(read(&other, 0, id), id * 1000 + 2);
    }
}

#[test]
fn a_master_of_a_cluster_that_dies_is_followed_by_its_replica() {
    let mut cluster = Cluster::with_replicas();
    let (one, other) = (of_cluster(&cluster), of_cluster(&cluster));
    for id in 0..30 {
        assert_eq!(read(&one, 1, id), read(&other, 1, id));
    }
    cluster.0[0].0.kill();
    SOURCES[1].store(2, SeqCst);
    let said = one.scope_blocking(|| invalidate!(tag = "values:1"));
    drop(said);
    for id in 0..30 {
        assert_eq!(
            read(&one, 1, id),
            id * 1000 + 2,
            "at once where it was made"
        );
    }
    let master = || cluster.0[3].command(&["ROLE"]).contains("master");
    assert!(until(master), "nobody follows");
    assert!(until(|| undelivered(&one) == 0));
    for id in 0..30 {
        assert!(until(|| read(&other, 1, id) == id * 1000 + 2));
    }
    let healthy = |cache: &Cache| {
        read(cache, 1, 100);
        cache.store_status().unwrap().health == Health::Up
    };
    assert!(until(|| healthy(&one) && healthy(&other)));
}

#[test]
fn valkey() {
    let known = Command::new("valkey-server").arg("--version").output();
    if known.is_err() {
        return eprintln!("skipped: valkey-server is not installed; Debian 12 has it in backports");
    }
    let server = Redis::of("valkey-server", &[]);
    let url = server.url().replace("redis://", "valkey://");
    let store = || RedisStore::open(&url).unwrap();
    block_on(store_conformance(&store(), &store())).unwrap();
    let process = || {
        let builder = Cache::builder().shared(store());
        builder
            .memory_copies(Duration::from_secs(5))
            .build()
            .unwrap()
    };
    let (one, other) = (process(), process());
    let hears = |cache: &Cache| cache.store_status().unwrap().push == Some(true);
    assert!(until(|| hears(&one) && hears(&other)));
    assert_eq!(read(&one, 2, 1), read(&other, 2, 1));
    SOURCES[2].store(2, SeqCst);
    one.scope_blocking(|| invalidate!(value(2, 1)).wait())
        .unwrap();
    assert!(until(|| read(&other, 2, 1) == 1002));
    assert_eq!(other.stats().messages, 1);
}

#[test]
fn clocks_an_hour_apart_change_how_long_an_entry_lives_and_nothing_else() {
    let server = Origin::redis();
    let process = || {
        let builder = Cache::builder().shared(server.open(server.port()));
        let builder = builder.memory_copies(Duration::ZERO);
        TestCache::with(builder.store_timeout(Duration::from_secs(36_000))).unwrap()
    };
    let (behind, ahead) = (process(), process());
    ahead.advance(Duration::from_secs(3600));
    let read = |cache: &TestCache, id| cache.run(|| value(3, id));

    // To the one ahead, what the other has stored is over: it loads, which is never wrong.
    assert_eq!((read(&behind, 1), read(&ahead, 1)), (1001, 1001));
    assert_eq!((behind.stats().loads, ahead.stats().loads), (1, 1));
    // What the one ahead has stored is as good as new to the other, for its timeout and no more.
    assert_eq!((read(&ahead, 2), read(&behind, 2)), (2001, 2001));
    assert_eq!((behind.stats().loads, behind.stats().fetched), (1, 1));
    behind.advance(Duration::from_secs(599));
    assert_eq!(read(&behind, 2), 2001);
    assert_eq!(behind.stats().loads, 1);

    // What is invalidated by either is invalid to both, and no load from before it counts.
    for now in 2..20 {
        SOURCES[3].store(now, SeqCst);
        let (one, other) = match now % 2 {
            0 => (&behind, &ahead),
            _ => (&ahead, &behind),
        };
        one.run(|| invalidate!(value(3, 1)).wait()).unwrap();
        assert_eq!((read(one, 1), read(other, 1)), (1000 + now, 1000 + now));
    }
    assert_eq!(behind.stats().store_errors + ahead.stats().store_errors, 0);
}

/// A small file system that is gone with the test; none where that is not allowed.
struct Disk(Directory);

impl Disk {
    fn new(size: &str) -> Option<Disk> {
        let directory = Directory::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(directory.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Disk(directory))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0.path()).output());
    }
}

#[cached(timeout = 600, key_prefix = "large:{id}")]
fn large(id: u64) -> String {
    format!("{id} {}", SOURCES[4].load(SeqCst)).repeat(1000)
}

#[test]
fn a_disk_that_is_full_refuses_writes_and_answers_reads() {
    let Some(disk) = Disk::new("256k") else {
        return eprintln!("skipped: a file system can be mounted by root alone");
    };
    let root = disk.0.path();
    let ballast = root.join("ballast");
    std::fs::write(&ballast, vec![7; 64 << 10]).unwrap();
    let store = || Arc::new(Filesystem::open(root.join("cache")).unwrap());
    let (one, other) = (process(store()), process(store()));
    let read = |cache: &Cache, id: u64| cache.scope_blocking(|| large(id)).len();
    for id in 100..300 {
        assert_eq!(read(&one, id), 5000);
    }
    assert!(one.stats().store_errors > 0, "it is full");
    assert_eq!(one.store_status().unwrap().health, Health::Up);
    assert_eq!(read(&other, 100), 5000);
    assert_eq!(other.stats().fetched, 1, "what is there is read");

    // The rest of it, so that there is no room for eight bytes.
    let mut fill = (0..).map(|n| std::fs::write(root.join(format!("fill-{n}")), [7; 512]));
    assert!(fill.any(|written| written.is_err()));
    SOURCES[4].store(22, SeqCst);
    let error = one
        .scope_blocking(|| invalidate!(large(100)).wait())
        .unwrap_err();
    assert!(error.is_refused(), "{error}");
    assert_eq!(undelivered(&one), 1);
    assert_eq!(read(&one, 100), 6000, "at once where it was made");
    std::fs::remove_file(ballast).unwrap();
    assert!(until(|| undelivered(&one) == 0), "it is delivered");
    assert_eq!(read(&other, 100), 6000);
}

#[test]
fn a_directory_that_is_removed_while_it_is_read_is_a_miss() {
    let directory = Directory::new();
    let root = directory.path().join("cache");
    let store = || Arc::new(Filesystem::open(&root).unwrap());
    let (one, other) = (process(store()), process(store()));
    assert_eq!((read(&one, 5, 1), read(&other, 5, 1)), (1001, 1001));
    SOURCES[5].store(2, SeqCst);
    std::fs::remove_dir_all(&root).unwrap();
    one.scope_blocking(|| invalidate!(value(5, 1)).wait())
        .unwrap();
    std::fs::remove_dir_all(&root).unwrap();
    assert_eq!((read(&other, 5, 1), read(&one, 5, 1)), (1002, 1002));
    assert_eq!((other.stats().loads, one.stats().loads), (1, 1));
    assert_eq!(one.stats().store_errors + other.stats().store_errors, 0);
}

#[test]
fn a_memcached_that_takes_nothing_more_refuses_invalidations_until_it_does() {
    let server = Memcached::with(&["-M", "-m", "2", "-I", "1m"]);
    let url = format!("127.0.0.1:{}", server.0.port);
    let (one, other) = (process(open(&url)), process(open(&url)));
    assert_eq!((read(&one, 6, 1), read(&other, 6, 1)), (1001, 1001));
    // As large as a version and its key.
    let store = open(&url);
    let item = |n: usize| Item {
        key: format!("dewar:v.{n:040}"),
        value: vec![1; 8],
        ttl: None,
    };
    let mut fill = (0..100_000)
        .step_by(500)
        .map(|n| block_on(store.set_many((n..n + 500).map(item).collect())));
    assert!(fill.any(|written| written.is_err()), "it is never full");
    for id in 2..40 {
        assert_eq!(read(&one, 6, id), id * 1000 + 1);
    }
    assert!(one.stats().store_errors > 0);
    assert_eq!(one.store_status().unwrap().health, Health::Up);
    SOURCES[6].store(2, SeqCst);
    let error = one.scope_blocking(|| invalidate!(tag = "new", tag = "newer").wait());
    assert!(error.unwrap_err().is_refused());
    assert_eq!(undelivered(&one), 3, "any tag is the third");
    server.forget();
    assert!(until(|| undelivered(&one) == 0), "it is delivered");
    assert!(until(
        || read(&other, 6, 1) == 1002 && read(&one, 6, 1) == 1002
    ));
}

#[test]
fn a_postgres_that_is_read_only_refuses_writes_and_answers_reads() {
    let server = Postgres::start();
    let (one, other) = (process(open(&server.url())), process(open(&server.url())));
    assert_eq!((read(&one, 7, 1), read(&other, 7, 1)), (1001, 1001));
    let read_only = |on: &str| {
        server.query(&format!(
            "ALTER SYSTEM SET default_transaction_read_only = {on}"
        ));
        server.query("SELECT pg_reload_conf()");
    };
    read_only("on");
    SOURCES[7].store(2, SeqCst);
    let refused = || {
        let said = one.scope_blocking(|| invalidate!(value(7, 1)).wait());
        said.is_err_and(|error| error.is_refused())
    };
    assert!(until(refused), "the server has read its settings");
    assert_eq!(one.store_status().unwrap().health, Health::Up);
    assert_eq!(read(&one, 7, 1), 1002);
    let before = other.stats();
    assert_eq!(read(&other, 7, 2), 2002);
    assert_eq!(other.stats().loads, before.loads + 1);
    read_only("off");
    assert!(until(|| undelivered(&one) == 0));
    assert_eq!(read(&other, 7, 1), 1002);
}

#[test]
fn foreign_data_under_a_key_is_a_miss_and_is_replaced() {
    for (n, origin) in [Origin::memcached(), Origin::postgres()].iter().enumerate() {
        let of = 8 + n;
        // What is stored where is known to the store alone; so each of ours is overwritten.
        let keys = Arc::new(Names::default());
        let store = || Arc::new(Noted(open(&origin.url()), Arc::clone(&keys)));
        let (one, other) = (process(store()), process(store()));
        assert_eq!(read(&one, of, 1), 1001);
        let names = keys.0.lock().unwrap().clone();
        assert!(names.len() > 3);
        for foreign in [&b"foreign"[..], b"", b"12345678", &[0xff; 300]] {
            let item = |key: &String| Item {
                key: key.clone(),
                value: foreign.to_vec(),
                ttl: None,
            };
            let items = names.iter().map(item).collect();
            block_on(open(&origin.url()).set_many(items)).unwrap();
            let before = other.stats();
            assert_eq!(read(&other, of, 1), 1001);
            let after = other.stats();
            assert_eq!(after.fetched, before.fetched, "{foreign:?} is served");
            assert_eq!(after.loads, before.loads + 1);
            let fresh = process(store());
            assert_eq!(read(&fresh, of, 1), 1001);
            assert_eq!(fresh.stats().loads, 0, "it is replaced");
        }
        assert!(other.stats().undecodable > 0);
        assert_eq!(other.stats().store_errors, 0);
        SOURCES[of].store(2, SeqCst);
        one.scope_blocking(|| invalidate!(value(of, 1)).wait())
            .unwrap();
        assert_eq!(read(&other, of, 1), 1002);
    }
}

/// The names of all that is written.
#[derive(Default)]
struct Names(std::sync::Mutex<Vec<String>>);

struct Noted(Arc<dyn Store>, Arc<Names>);

type Done<'a, T> = std::pin::Pin<Box<dyn Future<Output = Result<T, dewar::Error>> + Send + 'a>>;

impl Noted {
    fn note(&self, items: &[Item]) {
        let names = items.iter().map(|item| item.key.clone());
        self.1.0.lock().unwrap().extend(names);
    }
}

impl Store for Noted {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> Done<'a, Vec<dewar::store::Found>> {
        self.0.get_many(keys)
    }

    fn set_many(&self, items: Vec<Item>) -> Done<'_, ()> {
        self.note(&items);
        self.0.set_many(items)
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> Done<'a, ()> {
        self.0.delete_many(keys)
    }

    fn add_many(&self, items: Vec<Item>) -> Done<'_, Vec<bool>> {
        self.note(&items);
        self.0.add_many(items)
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> Done<'_, bool> {
        self.0.swap(expected, item)
    }
}
