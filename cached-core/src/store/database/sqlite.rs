//! The table in SQLite.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteError, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection, Executor, Row, Sqlite as Db, Transaction};

use super::{AT_ONCE, EVER, Result, TABLE, Table, millis};
use crate::store::{Found, Item};

pub(super) struct Sqlite {
    pool: SqlitePool,
    place: String,
    pub(super) table: Table,
}

/// Milliseconds since 1970.
const NOW: &str = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";

fn until(ttl: &str) -> String {
    format!("CASE WHEN {ttl} = {EVER} THEN {EVER} ELSE {NOW} + {ttl} END")
}

impl Sqlite {
    pub(super) fn open(url: &str) -> Option<Self> {
        let options = SqliteConnectOptions::from_str(url).ok()?;
        let place = options.get_filename().display().to_string();
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().acquire_timeout(Duration::from_secs(5));
        // What is in memory goes with its last connection.
        let pool = match url.contains(":memory:") || url.contains("mode=memory") {
            true => pool
                .max_connections(1)
                .idle_timeout(None)
                .max_lifetime(None),
            false => pool.max_connections(4),
        };
        let pool = pool.connect_lazy_with(options);
        Some(Sqlite {
            pool,
            place,
            table: Table::default(),
        })
    }

    pub(super) fn describe(&self) -> String {
        format!("sqlite {}", self.place)
    }

    async fn pool(&self) -> Result<&SqlitePool> {
        let make = async {
            let table = format!(
                "CREATE TABLE IF NOT EXISTS {TABLE} (
                     key TEXT PRIMARY KEY, value BLOB NOT NULL, expires INTEGER NOT NULL
                 ) WITHOUT ROWID"
            );
            let index = format!("CREATE INDEX IF NOT EXISTS {TABLE}_expires ON {TABLE} (expires)");
            for statement in [table, index] {
                sqlx::query(AssertSqlSafe(statement))
                    .execute(&self.pool)
                    .await?;
            }
            Ok(())
        };
        self.table.made(make).await?;
        Ok(&self.pool)
    }

    /// A transaction that may write from its beginning: it waits for its turn, and is not turned
    /// down half way.
    async fn begin(&self) -> Result<Transaction<'static, Db>> {
        Ok(self.pool().await?.begin_with("BEGIN IMMEDIATE").await?)
    }

    pub(super) async fn get(&self, keys: &[String]) -> Result<HashMap<String, Vec<u8>>> {
        let mut connection = self.pool().await?.acquire().await?;
        let mut found = HashMap::new();
        for key in keys {
            if let Some(value) = value(&mut connection, key).await? {
                found.insert(key.clone(), value);
            }
        }
        Ok(found)
    }

    pub(super) async fn set(&self, items: &[Item]) -> Result<()> {
        let mut transaction = self.begin().await?;
        for item in items {
            put(&mut transaction, item).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The same, and on the disk when this returns, with all that was written before.
    pub(super) async fn set_durably(&self, items: &[Item]) -> Result<()> {
        let mut connection = self.pool().await?.acquire().await?;
        // Elsewhere a power cut costs the last writes, and nothing that was invalidated.
        connection.execute("PRAGMA synchronous = FULL").await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for item in items {
            put(&mut transaction, item).await?;
        }
        transaction.commit().await?;
        // Left out where this is dropped before: then the connection is a slower one.
        connection.execute("PRAGMA synchronous = NORMAL").await?;
        Ok(())
    }

    pub(super) async fn add(&self, items: &[Item]) -> Result<Vec<bool>> {
        let mut transaction = self.begin().await?;
        let mut added = Vec::new();
        for item in items {
            let absent = value(&mut transaction, &item.key).await?.is_none();
            if absent {
                put(&mut transaction, item).await?;
            }
            added.push(absent);
        }
        transaction.commit().await?;
        Ok(added)
    }

    pub(super) async fn delete(&self, keys: &[String]) -> Result<()> {
        let text = format!("DELETE FROM {TABLE} WHERE key = ?1");
        let mut transaction = self.begin().await?;
        for key in keys {
            let query = sqlx::query(AssertSqlSafe(text.clone())).bind(key);
            query.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    pub(super) async fn swap(&self, swaps: &[(Vec<u8>, Item)]) -> Result<Vec<bool>> {
        let mut transaction = self.begin().await?;
        let mut swapped = Vec::new();
        for (expected, item) in swaps {
            let same = value(&mut transaction, &item.key).await?.as_ref() == Some(expected);
            if same {
                put(&mut transaction, item).await?;
            }
            swapped.push(same);
        }
        transaction.commit().await?;
        Ok(swapped)
    }

    pub(super) async fn extend(&self, keys: &[String], ttl: i64) -> Result<()> {
        let until = until("?2");
        let text = format!(
            "UPDATE {TABLE} SET expires = {until}
             WHERE key = ?1 AND expires > {NOW} AND expires < {until}"
        );
        let mut transaction = self.begin().await?;
        for key in keys {
            let query = sqlx::query(AssertSqlSafe(text.clone())).bind(key).bind(ttl);
            query.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    pub(super) async fn sweep(&self) -> Result<u64> {
        let text = format!(
            "DELETE FROM {TABLE} WHERE key IN (
                 SELECT key FROM {TABLE} WHERE expires <= {NOW} LIMIT {AT_ONCE}
             )"
        );
        let query = sqlx::query(AssertSqlSafe(text));
        Ok(query.execute(self.pool().await?).await?.rows_affected())
    }
}

/// Whether an error says that nothing can be done, whatever the statement was: the file cannot be
/// opened or read, or is none of SQLite's.
pub(super) fn is_unusable(said: &dyn DatabaseError) -> bool {
    const CORRUPT: u32 = 11;
    const CANTOPEN: u32 = 14;
    const IOERR: u32 = 10;
    const NOTADB: u32 = 26;
    let is_ours = said.try_downcast_ref::<SqliteError>().is_some();
    let code = said.code().and_then(|code| code.parse::<u32>().ok());
    // What it adds to a code stands above the lowest eight bits.
    let primary = code.map(|code| code & 0xff);
    is_ours && primary.is_some_and(|code| [CORRUPT, CANTOPEN, IOERR, NOTADB].contains(&code))
}

/// What is under a key, if it has not run out.
async fn value(connection: &mut SqliteConnection, key: &str) -> Result<Found> {
    let text = format!("SELECT value FROM {TABLE} WHERE key = ?1 AND expires > {NOW}");
    let query = sqlx::query(AssertSqlSafe(text)).bind(key);
    let row = query.fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

async fn put(connection: &mut SqliteConnection, item: &Item) -> Result<()> {
    let text = format!(
        "INSERT INTO {TABLE} (key, value, expires) VALUES (?1, ?2, {})
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
        until("?3")
    );
    let query = sqlx::query(AssertSqlSafe(text));
    let query = query.bind(&item.key).bind(&item.value);
    let query = query.bind(millis(item.ttl));
    query.execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Sqlite;
    use crate::rt::io;

    #[test]
    fn what_is_in_memory_is_not_closed_by_time() {
        let _inside = io::enter();
        for url in ["sqlite::memory:", "sqlite:a?mode=memory"] {
            let pool = Sqlite::open(url).unwrap().pool;
            let options = pool.options();
            assert_eq!(options.get_max_connections(), 1);
            assert_eq!(options.get_idle_timeout(), None);
            assert_eq!(options.get_max_lifetime(), None);
        }
    }
}
