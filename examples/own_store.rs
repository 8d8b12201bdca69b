//! A shared store of your own: here a table in SQLite, which processes on one machine share.
//!
//! ```text
//! cargo run --features stores --example own_store
//! ```
//!
//! A store is bytes in, bytes out. What it has to do is written down at `dewar::store::Store`, and
//! `dewar::testing::store_conformance` tries it out. Time limits, the circuit breaker,
//! serialisation, invalidation and the memory tier are dewar's.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dewar::store::{Found, Item, Store};
use dewar::testing::store_conformance;
use dewar::{BoxFuture, Cache, Error, cached, invalidate};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

/// A table of keys and values.
struct Table(Mutex<Connection>);

impl Table {
    fn open(path: &Path) -> Result<Table, Error> {
        let open = || {
            let connection = Connection::open(path)?;
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.execute_batch(
                "PRAGMA journal_mode = WAL;
                 CREATE TABLE IF NOT EXISTS cache (
                     key TEXT PRIMARY KEY, value BLOB NOT NULL, until INTEGER NOT NULL
                 ) WITHOUT ROWID;",
            )?;
            Ok(connection)
        };
        let connection = open().map_err(|error| failed("open", &error))?;
        Ok(Table(Mutex::new(connection)))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One operation is one transaction: other processes see all of it or nothing.
    ///
    /// It blocks, as SQLite does. A client that waits for a network would be awaited here.
    fn run<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Error>> {
        Box::pin(async move {
            let run = || {
                let mut connection = self.connection();
                let kind = TransactionBehavior::Immediate;
                let transaction = connection.transaction_with_behavior(kind)?;
                let result = work(&transaction)?;
                transaction.commit()?;
                Ok(result)
            };
            run().map_err(|error| failed(operation, &error))
        })
    }
}

/// The store is taken to be down after a few of these in a row, and asked again now and then.
fn failed(operation: &str, error: &rusqlite::Error) -> Error {
    Error::store(operation, error)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

/// The value of a key that has not run out.
fn value(transaction: &Transaction<'_>, key: &str) -> rusqlite::Result<Found> {
    transaction
        .prepare_cached("SELECT value FROM cache WHERE key = ?1 AND until > ?2")?
        .query_row(params![key, now()], |row| row.get(0))
        .optional()
}

fn put(transaction: &Transaction<'_>, item: &Item) -> rusqlite::Result<()> {
    let until = match item.ttl {
        Some(ttl) => now().saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)),
        None => i64::MAX,
    };
    transaction
        .prepare_cached("INSERT OR REPLACE INTO cache (key, value, until) VALUES (?1, ?2, ?3)")?
        .execute(params![item.key, item.value, until])
        .map(drop)
}

impl Store for Table {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        self.run("read", |table| {
            keys.iter().map(|key| value(table, key)).collect()
        })
    }

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        self.run("write", move |table| {
            items.iter().try_for_each(|item| put(table, item))
        })
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        self.run("delete", |table| {
            let mut delete = table.prepare_cached("DELETE FROM cache WHERE key = ?1")?;
            keys.iter()
                .try_for_each(|key| delete.execute([key]).map(drop))
        })
    }

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        self.run("add", move |table| {
            let add = |item: &Item| {
                let absent = value(table, &item.key)?.is_none();
                if absent {
                    put(table, item)?;
                }
                Ok(absent)
            };
            items.iter().map(add).collect()
        })
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        self.run("swap", move |table| {
            let same = value(table, &item.key)? == Some(expected);
            if same {
                put(table, &item)?;
            }
            Ok(same)
        })
    }

    fn describe(&self) -> String {
        "a table in SQLite".into()
    }
}

#[cached(timeout = 60, key_prefix = "square:{n}")]
fn square(n: u64) -> u64 {
    n * n
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::temp_dir().join(format!("dewar-own-store-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let path = directory.join("cache.sqlite");

    // Does it keep the contract? In an application this is a test.
    let (one, other) = (Table::open(&path)?, Table::open(&path)?);
    futures::executor::block_on(store_conformance(&one, &other))?;
    println!("the store keeps the contract");

    // Two caches on one store are as two processes.
    let one = Cache::builder().shared(one).build()?;
    let other = Cache::builder().shared(other).build()?;
    assert_eq!(one.scope_blocking(|| square(12)), 144);
    assert_eq!(other.scope_blocking(|| square(12)), 144);
    println!(
        "one: {} load, the other: {}",
        one.stats().loads,
        other.stats().loads
    );
    assert_eq!((one.stats().loads, other.stats().loads), (1, 0));

    // An invalidation is confirmed by the store.
    other.scope_blocking(|| invalidate!(prefix = "square:12").wait())?;
    assert_eq!(other.scope_blocking(|| square(12)), 144);
    assert_eq!(other.stats().loads, 1);

    drop((one, other));
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}
