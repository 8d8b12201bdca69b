//! SQL databases: where there is no other server.
//!
//! One table, made when it is first needed, in [`postgres`] or [`sqlite`]. Its name has a number: a
//! version of dewar that lays it out otherwise makes another one, and both work side by side while
//! processes are replaced. PostgreSQL tells other processes of invalidations, SQLite cannot.

mod postgres;
mod sqlite;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::{Found, Item, Push, Rollback, Store};
use crate::clock::Clock;
use crate::error::Error;
use crate::rt::{BoxFuture, io};
use postgres::Postgres;
use sqlite::Sqlite;

/// A table in PostgreSQL or SQLite.
///
/// The table is made when it is first needed, rows that have run out are removed in the background.
/// In PostgreSQL it is unlogged: fast, and empty after a crash of the server, which costs loads.
///
/// ```
/// # #[allow(unused_must_use)]
/// # fn main() -> Result<(), dewar::Error> {
/// use dewar::store::{Database, Store};
///
/// let store = Database::open("postgres://shop:secret@db.internal/shop")?;
/// assert_eq!(store.describe(), "postgres db.internal:5432/shop");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    kind: Kind,
    swept: AtomicU64,
}

enum Kind {
    Postgres(Box<Postgres>),
    Sqlite(Sqlite),
}

/// The table's name; another layout has another number.
const TABLE: &str = "dewar_cache_1";
/// How often rows that have run out are removed, in nanoseconds; and how many at once.
const SWEEP: u64 = 60_000_000_000;
const AT_ONCE: i64 = 1000;
/// For ever.
const EVER: i64 = i64::MAX;

impl Database {
    /// A database by its URL: `postgres://user:password@host/name` or `sqlite:path/to/file`. Nothing
    /// is connected yet.
    ///
    /// # Errors
    /// It is no such URL. The message does not repeat it, since it may hold a password.
    pub fn open(url: &str) -> Result<Database, Error> {
        Database::open_as("database url", url)
    }

    /// The same of a setting of this name.
    pub(crate) fn open_as(setting: &str, url: &str) -> Result<Database, Error> {
        let refused = |why: &str| {
            let what = format!(
                "{why}: give one such as `postgres://user:password@host/name` or `sqlite:cache.db`"
            );
            Error::config(setting, what)
        };
        let _inside = io::enter();
        let scheme = url.trim().split(':').next().unwrap_or_default();
        let kind = match scheme {
            "postgres" | "postgresql" => {
                Postgres::open(url.trim()).map(|it| Kind::Postgres(Box::new(it)))
            }
            "sqlite" => Sqlite::open(url.trim()).map(Kind::Sqlite),
            _ => return Err(refused("is of an unknown kind")),
        };
        let kind = kind.ok_or_else(|| refused("is not understood"))?;
        Ok(Database(Arc::new(Inner {
            kind,
            swept: AtomicU64::new(0),
        })))
    }

    /// Removes, now, rows that have run out, up to a thousand; returns how many. It is done by itself
    /// now and then.
    ///
    /// # Errors
    /// The database refused, or could not be reached.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let swept = io::inside(async move {
            match &self.0.kind {
                Kind::Postgres(postgres) => twice(&postgres.table, || postgres.sweep()).await,
                Kind::Sqlite(sqlite) => twice(&sqlite.table, || sqlite.sweep()).await,
            }
        });
        swept.await.map_err(|failure| failed("sweep", failure))
    }

    /// Runs a statement inside the runtime, and has old rows removed now and then.
    fn run<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        statement: impl Future<Output = Result<T>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Error>> {
        io::inside(async move {
            let done = statement.await;
            self.sweep_later();
            done.map_err(|failure| failed(operation, failure))
        })
    }

    fn sweep_later(&self) {
        let now = Clock::System.now();
        let last = self.0.swept.load(Ordering::Relaxed);
        let due = now.saturating_sub(last) >= SWEEP;
        let swap = |swept: &AtomicU64| {
            swept.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
        };
        if due && swap(&self.0.swept).is_ok() {
            let database = self.clone();
            io::spawn(async move {
                while database
                    .sweep()
                    .await
                    .is_ok_and(|rows| rows == AT_ONCE.cast_unsigned())
                {}
            });
        }
    }
}

impl Store for Database {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        let found = self.run("read", async move {
            match &self.0.kind {
                Kind::Postgres(postgres) => twice(&postgres.table, || postgres.get(keys)).await,
                Kind::Sqlite(sqlite) => twice(&sqlite.table, || sqlite.get(keys)).await,
            }
        });
        Box::pin(async move {
            let found = found.await?;
            Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
        })
    }

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        self.run("write", async move {
            match &self.0.kind {
                Kind::Postgres(postgres) => {
                    let rows = Rows::new(items);
                    twice(&postgres.table, || postgres.set(&rows)).await
                }
                Kind::Sqlite(sqlite) => twice(&sqlite.table, || sqlite.set(&items)).await,
            }
        })
    }

    fn set_durably(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        match &self.0.kind {
            // After a crash its table is empty.
            Kind::Postgres(_) => self.set_many(items),
            Kind::Sqlite(sqlite) => self.run("write", async move {
                twice(&sqlite.table, || sqlite.set_durably(&items)).await
            }),
        }
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        self.run("delete", async move {
            match &self.0.kind {
                Kind::Postgres(postgres) => twice(&postgres.table, || postgres.delete(keys)).await,
                Kind::Sqlite(sqlite) => twice(&sqlite.table, || sqlite.delete(keys)).await,
            }
        })
    }

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        self.run("add", async move {
            match &self.0.kind {
                Kind::Postgres(postgres) => {
                    let keys: Vec<String> = items.iter().map(|item| item.key.clone()).collect();
                    let rows = Rows::first(items);
                    let mut added = twice(&postgres.table, || postgres.add(&rows)).await?;
                    // Of a repeated key, the first wins.
                    Ok(keys.iter().map(|key| added.remove(key)).collect())
                }
                Kind::Sqlite(sqlite) => twice(&sqlite.table, || sqlite.add(&items)).await,
            }
        })
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        let swapped = self.swap_many(vec![(expected, item)]);
        Box::pin(async move { Ok(swapped.await? == [true]) })
    }

    fn swap_many(&self, swaps: Vec<(Vec<u8>, Item)>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        self.run("swap", async move {
            match &self.0.kind {
                Kind::Postgres(postgres) => {
                    let mut swapped = twice(&postgres.table, || postgres.swap(&swaps)).await?;
                    let each = swaps.iter().map(|(_, item)| swapped.remove(&item.key));
                    Ok(each.collect())
                }
                Kind::Sqlite(sqlite) => twice(&sqlite.table, || sqlite.swap(&swaps)).await,
            }
        })
    }

    fn extend_many<'a>(
        &'a self,
        keys: &'a [String],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.run("extend", async move {
            let ttl = millis(Some(ttl));
            match &self.0.kind {
                Kind::Postgres(postgres) => {
                    twice(&postgres.table, || postgres.extend(keys, ttl)).await
                }
                Kind::Sqlite(sqlite) => twice(&sqlite.table, || sqlite.extend(keys, ttl)).await,
            }
        })
    }

    fn rollback(&self) -> Rollback {
        Rollback::Whole
    }

    fn push(&self) -> Option<&dyn Push> {
        match &self.0.kind {
            Kind::Postgres(_) => Some(self),
            Kind::Sqlite(_) => None,
        }
    }

    fn describe(&self) -> String {
        match &self.0.kind {
            Kind::Postgres(postgres) => postgres.describe(),
            Kind::Sqlite(sqlite) => sqlite.describe(),
        }
    }
}

impl Push for Database {
    fn publish<'a>(
        &'a self,
        channel: &'a str,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.run("publish", async move {
            match &self.0.kind {
                Kind::Postgres(postgres) => postgres.publish(channel, message).await,
                Kind::Sqlite(_) => Ok(()),
            }
        })
    }

    fn listen<'a>(
        &'a self,
        channel: &'a str,
        hear: &'a (dyn Fn(Option<&[u8]>) + Send + Sync),
    ) -> BoxFuture<'a, Error> {
        io::inside(async move {
            let ended = match &self.0.kind {
                Kind::Postgres(postgres) => postgres.listen(channel, hear).await,
                Kind::Sqlite(_) => Ok(()),
            };
            match ended {
                Ok(()) => Error::store("listen", "the connection was closed"),
                Err(failure) => failed("listen", failure),
            }
        })
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.describe()).finish()
    }
}

/// What went wrong, and with it how much else.
#[derive(Debug)]
enum Failure {
    /// There is no connection, or no table: nothing can be done.
    Unusable(sqlx::Error),
    Statement(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Failure::Statement(error)
    }
}

type Result<T, E = Failure> = std::result::Result<T, E>;

/// Whether the table is known to be there.
#[derive(Default)]
struct Table {
    known: AtomicBool,
    turn: tokio::sync::Mutex<()>,
}

impl Table {
    /// Has it made, unless it is known to be there.
    async fn made(&self, make: impl Future<Output = sqlx::Result<()>>) -> Result<()> {
        if self.known.load(Ordering::SeqCst) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if !self.known.load(Ordering::SeqCst) {
            make.await.map_err(Failure::Unusable)?;
            self.known.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    /// It may be gone, or the database as a whole.
    fn forget(&self) {
        self.known.store(false, Ordering::SeqCst);
    }

    /// Whether it is gone: dropped, or with the file that it was in. Then it is made again.
    fn is_gone(&self, failure: &Failure) -> bool {
        let Failure::Statement(sqlx::Error::Database(said)) = failure else {
            return false;
        };
        let gone =
            said.code().as_deref() == Some("42P01") || said.message().starts_with("no such table");
        if gone {
            self.forget();
        }
        gone
    }
}

/// Runs a statement, and once more where the table was gone.
async fn twice<T, F: Future<Output = Result<T>>>(
    table: &Table,
    statement: impl Fn() -> F,
) -> Result<T> {
    match statement().await {
        Err(error) if table.is_gone(&error) => statement().await,
        done => done,
    }
}

/// Rows to write, each key once, in the order of the keys: two who write the same keys at once wait
/// for each other and not in a circle.
#[derive(Default)]
struct Rows {
    keys: Vec<String>,
    values: Vec<Vec<u8>>,
    /// In milliseconds from now.
    ttls: Vec<i64>,
}

impl Rows {
    /// Of a repeated key, the last wins.
    fn new(items: Vec<Item>) -> Self {
        Rows::of(
            items
                .into_iter()
                .map(|item| (item.key.clone(), item))
                .collect(),
        )
    }

    /// Of a repeated key, the first wins.
    fn first(items: Vec<Item>) -> Self {
        let items = items.into_iter().rev();
        Rows::of(items.map(|item| (item.key.clone(), item)).collect())
    }

    fn of(items: HashMap<String, Item>) -> Self {
        let mut items: Vec<Item> = items.into_values().collect();
        items.sort_by(|one, other| one.key.cmp(&other.key));
        let mut rows = Rows::default();
        for item in items {
            rows.ttls.push(millis(item.ttl));
            rows.keys.push(item.key);
            rows.values.push(item.value);
        }
        rows
    }
}

/// A time to live in milliseconds, at least one; what is too long to be added to a clock is for
/// ever.
fn millis(ttl: Option<Duration>) -> i64 {
    const LONGEST: i64 = i64::MAX / 4;
    let ttl = ttl.map_or(EVER, |ttl| i64::try_from(ttl.as_millis()).unwrap_or(EVER));
    match ttl {
        ttl if ttl > LONGEST => EVER,
        ttl => ttl.max(1),
    }
}

/// A failure as an error of ours: what the database says of a statement is a refusal, and what it
/// says to all of them is not.
fn failed(operation: &str, failure: Failure) -> Error {
    match failure {
        Failure::Statement(sqlx::Error::Database(said))
            if !postgres::is_unusable(&*said) && !sqlite::is_unusable(&*said) =>
        {
            Error::refused(operation, said.message())
        }
        Failure::Statement(error) | Failure::Unusable(error) => match error {
            sqlx::Error::Database(said) => Error::store(operation, said.message()),
            // It may hold the whole of a URL.
            sqlx::Error::Configuration(_) => Error::store(operation, "its settings are refused"),
            error => Error::store(operation, error),
        },
    }
}
