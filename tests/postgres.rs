//! PostgreSQL: who may connect, what a user has to be allowed, and what counts as down.
#![cfg(feature = "database")]

mod servers;

use std::time::Duration;

use dewar::store::{Database, Health, Item, Store};
use dewar::{Cache, CacheBuilder, cached, invalidate};
use futures::executor::block_on;
use servers::postgres::Postgres;
use servers::{free_port, until};

fn open(url: &str) -> Database {
    Database::open(url).unwrap()
}

/// Long enough for an answer on a machine that is busy.
fn process(url: &str) -> CacheBuilder {
    let builder = Cache::builder().shared(open(url));
    builder.store_timeout(Duration::from_secs(10))
}

#[cached(timeout = 600, key_prefix = "value:{id}")]
fn value(id: u64) -> u64 {
    id
}

/// Every call is answered, and after five failures the store is left alone.
fn counts_as_down(url: &str) {
    let cache = process(url).build().unwrap();
    let read = |id| cache.scope_blocking(|| value(id));
    assert!((0..50).all(|id| read(id) == id));
    let status = cache.store_status().unwrap();
    assert_eq!(status.health, Health::Down, "{url}");
    // Half a second more, and one asks again.
    assert!((5..10).contains(&cache.stats().store_errors), "{url}");
}

#[test]
fn a_server_that_lets_nobody_in_counts_as_down() {
    let server = Postgres::start();
    counts_as_down(&server.url_of("nobody_known", "postgres"));
    counts_as_down(&server.url_of("shop", "no_such_database"));
    // No table, and no right to make one.
    server.query("CREATE ROLE few LOGIN");
    counts_as_down(&server.url_of("few", "postgres"));
}

#[test]
fn who_may_only_use_the_table_uses_it() {
    let server = Postgres::start();
    let owner = process(&server.url()).build().unwrap();
    assert_eq!(owner.scope_blocking(|| value(1)), 1);
    let user = |name: &str, rights: &str, read_only: &str| {
        server.query(&format!("CREATE ROLE {name} LOGIN"));
        server.query(&format!("GRANT {rights} ON dewar_cache_1 TO {name}"));
        let set = format!("SET default_transaction_read_only = {read_only}");
        server.query(&format!("ALTER ROLE {name} {set}"));
        process(&server.url_of(name, "postgres")).build().unwrap()
    };
    let cache = user("uses", "SELECT, INSERT, UPDATE, DELETE", "off");
    assert_eq!(cache.scope_blocking(|| (value(1), value(2))), (1, 2));
    cache
        .scope_blocking(|| invalidate!(value(1)).wait())
        .unwrap();
    let stats = cache.stats();
    assert_eq!((stats.loads, stats.fetched, stats.store_errors), (1, 1, 0));

    let cache = user("reads", "SELECT", "on");
    assert_eq!(cache.scope_blocking(|| value(2)), 2);
    assert_eq!((cache.stats().fetched, cache.stats().store_errors), (1, 0));
    assert_eq!(cache.scope_blocking(|| value(3)), 3);
    let said = cache.scope_blocking(|| invalidate!(value(2)).wait());
    assert!(said.unwrap_err().is_refused());
    assert_eq!(cache.store_status().unwrap().health, Health::Up);
}

#[test]
fn a_file_that_is_no_database_counts_as_down() {
    let directory = servers::Directory::new();
    let file = directory.path().join("notes.txt");
    std::fs::write(&file, "no database".repeat(100)).unwrap();
    counts_as_down(&format!("sqlite:{}", file.display()));
    counts_as_down("sqlite:/no/such/directory/cache.db");
}

#[test]
fn a_connection_that_the_server_ends_is_no_refusal() {
    let server = Postgres::start();
    let store = open(&server.url());
    let others = "pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}");
    let mut ended = None;
    // One that was silent for a second is tried before it is used.
    assert!(until(|| {
        block_on(store.get_many(&["k".into()])).unwrap();
        server.query(&end);
        ended = block_on(store.get_many(&["k".into()])).err();
        ended.is_some()
    }));
    let error = ended.unwrap();
    assert!(error.is_store() && !error.is_refused(), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_said_at_the_start() {
    let url = format!("postgres://shop:secret@127.0.0.1:{}/postgres", free_port());
    let builder = process(&url).check_store();
    let error = builder.build().map(drop).expect_err("nobody listens");
    let text = format!("{error} {error:?}");
    assert!(text.contains("Connection refused"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn who_writes_the_same_keys_waits_in_no_circle_whatever_order_the_database_has() {
    let server = Postgres::start();
    // Not that of bytes: `a` stands before `B`.
    server.query(
        "CREATE DATABASE sorted TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'
         LOCALE_PROVIDER icu ICU_LOCALE 'en'",
    );
    let store = open(&server.url_of("shop", "sorted"));
    let letter = |n: usize| char::from(if n.is_multiple_of(2) { b'a' } else { b'B' });
    let keys: Vec<String> = (0..300).map(|n| format!("{}{n}", letter(n))).collect();
    let item = |key: &String| Item {
        key: key.clone(),
        value: vec![1],
        ttl: Some(Duration::from_secs(1)),
    };
    let items = || keys.iter().map(item).collect();
    let operations: [&(dyn Fn() -> Result<(), dewar::Error> + Sync); 4] = [
        &|| block_on(store.set_many(items())),
        &|| block_on(store.add_many(items())).map(drop),
        &|| block_on(store.delete_many(&keys)),
        &|| block_on(store.extend_many(&keys, Duration::from_secs(600))),
    ];
    std::thread::scope(|scope| {
        for operation in operations {
            scope.spawn(move || (0..40).for_each(|_| operation().unwrap()));
        }
    });
}
