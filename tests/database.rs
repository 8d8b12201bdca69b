//! SQL databases: PostgreSQL, which tells other processes, and SQLite, which cannot.
#![cfg(feature = "database")]

mod servers;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use dewar::store::{Database, Health, Item, Store};
use dewar::testing::store_conformance;
use dewar::{Cache, cached, invalidate};
use futures::executor::block_on;
use servers::postgres::Postgres;
use servers::{Directory, until};

fn open(url: &str) -> Database {
    Database::open(url).unwrap()
}

fn file(directory: &Directory) -> String {
    format!("sqlite:{}", directory.path().join("cache.db").display())
}

const BOUND: Duration = Duration::from_millis(1500);

fn process(url: &str) -> Cache {
    let builder = Cache::builder()
        .shared(open(url))
        .memory_copies(BOUND)
        .store_timeout(Duration::from_secs(2));
    builder.build().unwrap()
}

static SOURCES: [AtomicU64; 2] = [const { AtomicU64::new(1) }; 2];

#[cached(timeout = 600, key_prefix = "value:{of}:{id}")]
fn value(of: usize, id: u64) -> u64 {
    id * 1000 + SOURCES[of].load(SeqCst)
}

#[test]
fn postgres_keeps_the_contract_and_tells_other_processes() {
    let mut server = Postgres::start();
    let url = server.url();
    block_on(store_conformance(&open(&url), &open(&url))).unwrap();

    let (one, other) = (process(&url), process(&url));
    let up = |cache: &Cache| cache.store_status().unwrap().push == Some(true);
    assert!(until(|| up(&one) && up(&other)), "nobody is heard");
    let read = |cache: &Cache| cache.scope_blocking(|| value(0, 1));
    assert_eq!((read(&one), read(&other)), (1001, 1001));
    assert_eq!(other.stats().loads, 0);
    for now in 2..10 {
        SOURCES[0].store(now, SeqCst);
        one.scope_blocking(|| invalidate!(value(0, 1)).wait())
            .unwrap();
        assert!(until(|| read(&other) == 1000 + now));
    }
    assert_eq!(other.stats().messages, 8);

    server.crash();
    SOURCES[0].store(20, SeqCst);
    let error = one
        .scope_blocking(|| invalidate!(value(0, 1)).wait())
        .unwrap_err();
    assert!(error.is_store(), "{error}");
    assert!(!format!("{error:?}").contains("secret"));
    assert_eq!(read(&one), 1020);
    server.0.run();
    assert!(until(|| up(&one) && up(&other)), "both hear again");
    assert!(until(|| one.store_status().unwrap().undelivered == 0));
    assert!(until(|| read(&other) == 1020));
    assert!(until(|| one.store_status().unwrap().health == Health::Up));
}

#[test]
fn sqlite_keeps_the_contract() {
    let directory = Directory::new();
    let url = file(&directory);
    block_on(store_conformance(&open(&url), &open(&url))).unwrap();
}

#[test]
fn what_was_loaded_is_there_after_a_restart() {
    let directory = Directory::new();
    let url = file(&directory);
    let read = |cache: &Cache| cache.scope_blocking(|| value(1, 1));
    assert_eq!(read(&process(&url)), 1001);
    let again = process(&url);
    assert_eq!(read(&again), 1001);
    assert_eq!(again.stats().loads, 0);
    SOURCES[1].store(2, SeqCst);
    again
        .scope_blocking(|| invalidate!(value(1, 1)).wait())
        .unwrap();
    assert_eq!(read(&process(&url)), 1002);
}

/// Every operation of a store whose table somebody drops before each.
fn survives(store: &Database, drop_table: impl Fn()) {
    let keys = ["k".to_owned()];
    let item = || Item {
        key: "k".into(),
        value: vec![1],
        ttl: Some(Duration::from_secs(600)),
    };
    block_on(async {
        store.set_many(vec![item()]).await.unwrap();
        assert_eq!(store.get_many(&keys).await.unwrap(), [Some(vec![1])]);
        drop_table();
        assert_eq!(store.get_many(&keys).await.unwrap(), [None]);
        drop_table();
        store.set_many(vec![item()]).await.unwrap();
        assert_eq!(store.get_many(&keys).await.unwrap(), [Some(vec![1])]);
        drop_table();
        assert_eq!(store.add_many(vec![item()]).await.unwrap(), [true]);
        drop_table();
        assert!(!store.swap(vec![1], item()).await.unwrap());
        drop_table();
        store
            .extend_many(&keys, Duration::from_secs(60))
            .await
            .unwrap();
        drop_table();
        store.delete_many(&keys).await.unwrap();
        drop_table();
        assert_eq!(store.sweep().await.unwrap(), 0);
    });
}

#[test]
fn a_table_that_was_dropped_is_made_again() {
    let directory = Directory::new();
    let sqlite = rusqlite::Connection::open(directory.path().join("cache.db")).unwrap();
    survives(&open(&file(&directory)), || {
        sqlite.execute("DROP TABLE dewar_cache_1", []).unwrap();
    });
    let server = Postgres::start();
    survives(&open(&server.url()), || {
        server.query("DROP TABLE dewar_cache_1");
    });
}

#[test]
fn a_database_in_memory_keeps_the_contract() {
    let store = open("sqlite::memory:");
    block_on(store_conformance(&store, &store.clone())).unwrap();
}

#[test]
fn rows_that_have_run_out_are_removed() {
    let directory = Directory::new();
    let store = open(&file(&directory));
    let item = |n: usize, ttl| Item {
        key: format!("k{n}"),
        value: vec![1],
        ttl: Some(Duration::from_millis(ttl)),
    };
    let brief = (0..1500).map(|n| item(n, 1));
    block_on(store.set_many(brief.chain([item(2000, 600_000)]).collect())).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let mut removed = 0;
    assert!(until(|| {
        removed += block_on(store.sweep()).unwrap();
        block_on(store.sweep()).unwrap() == 0
    }));
    let found = block_on(store.get_many(&["k2000".into(), "k1".into()])).unwrap();
    assert_eq!(found, [Some(vec![1]), None]);
    assert!(removed <= 1500);
}

#[test]
fn a_bad_url_is_an_error_at_the_start_and_its_secret_is_not_repeated() {
    for url in [
        "mysql://u:secret@h/d",
        "postgres://u:secret@h:port/d",
        "secret",
    ] {
        let error = Database::open(url).unwrap_err();
        assert!(error.is_config());
        let text = format!("{error} {error:?}");
        assert!(
            text.contains("sqlite:cache.db") && !text.contains("secret"),
            "{text}"
        );
    }
}
