//! The table in PostgreSQL.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Row};
use tokio::sync::OnceCell;

use super::{AT_ONCE, EVER, Rows, TABLE, millis};
use crate::store::{Item, names};

pub(super) struct Postgres {
    pool: PgPool,
    place: String,
    made: OnceCell<()>,
}

/// The database's clock, in milliseconds since 1970: the same for all processes.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// When what lives for so many milliseconds from now runs out.
fn until(ttl: &str) -> String {
    format!("CASE WHEN {ttl} = {EVER} THEN {EVER} ELSE {NOW} + {ttl} END")
}

impl Postgres {
    pub(super) fn open(url: &str) -> Option<Self> {
        let options = PgConnectOptions::from_str(url).ok()?;
        let database = options.get_database().unwrap_or_default();
        let place = format!("{}:{}/{database}", options.get_host(), options.get_port());
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(std::time::Duration::from_secs(5))
            .connect_lazy_with(options);
        Some(Postgres {
            pool,
            place,
            made: OnceCell::new(),
        })
    }

    pub(super) fn describe(&self) -> String {
        format!("postgres {}", self.place)
    }

    /// The connections, the table made. Two who make it at once take turns.
    async fn pool(&self) -> sqlx::Result<&PgPool> {
        let make = async || {
            let mut transaction = self.pool.begin().await?;
            sqlx::query("SELECT pg_advisory_xact_lock(4015171)")
                .execute(&mut *transaction)
                .await?;
            let table = format!(
                "CREATE UNLOGGED TABLE IF NOT EXISTS {TABLE} (
                     key text PRIMARY KEY, value bytea NOT NULL, expires bigint NOT NULL
                 )"
            );
            let index = format!("CREATE INDEX IF NOT EXISTS {TABLE}_expires ON {TABLE} (expires)");
            for statement in [table, index] {
                sqlx::query(AssertSqlSafe(statement))
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        };
        self.made.get_or_try_init(make).await?;
        Ok(&self.pool)
    }

    pub(super) async fn get(&self, keys: &[String]) -> sqlx::Result<HashMap<String, Vec<u8>>> {
        let text =
            format!("SELECT key, value FROM {TABLE} WHERE key = ANY($1) AND expires > {NOW}");
        let query = sqlx::query(AssertSqlSafe(text)).bind(keys);
        let rows = query.fetch_all(self.pool().await?).await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    pub(super) async fn set(&self, rows: Rows) -> sqlx::Result<()> {
        let text = format!(
            "INSERT INTO {TABLE} (key, value, expires)
             SELECT key, value, {} FROM unnest($1::text[], $2::bytea[], $3::bigint[])
                 AS new (key, value, ttl)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
            until("ttl")
        );
        let query = sqlx::query(AssertSqlSafe(text));
        let query = query.bind(rows.keys).bind(rows.values).bind(rows.ttls);
        query.execute(self.pool().await?).await.map(drop)
    }

    /// Those keys that had nothing.
    pub(super) async fn add(&self, rows: Rows) -> sqlx::Result<HashSet<String>> {
        let text = format!(
            "INSERT INTO {TABLE} AS old (key, value, expires)
             SELECT key, value, {} FROM unnest($1::text[], $2::bytea[], $3::bigint[])
                 AS new (key, value, ttl)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires
                 WHERE old.expires <= {NOW}
             RETURNING key",
            until("ttl")
        );
        let query = sqlx::query(AssertSqlSafe(text));
        let query = query.bind(rows.keys).bind(rows.values).bind(rows.ttls);
        let added = query.fetch_all(self.pool().await?).await?;
        added.iter().map(|row| row.try_get(0)).collect()
    }

    pub(super) async fn delete(&self, keys: &[String]) -> sqlx::Result<()> {
        // In the order of the keys, as everybody writes.
        let text = format!(
            "DELETE FROM {TABLE} WHERE key IN (
                 SELECT key FROM {TABLE} WHERE key = ANY($1) ORDER BY key FOR UPDATE
             )"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(keys);
        query.execute(self.pool().await?).await.map(drop)
    }

    pub(super) async fn swap(&self, expected: &[u8], item: &Item) -> sqlx::Result<bool> {
        let text = format!(
            "UPDATE {TABLE} SET value = $3, expires = {}
             WHERE key = $1 AND value = $2 AND expires > {NOW}",
            until("$4::bigint")
        );
        let query = sqlx::query(AssertSqlSafe(text));
        let query = query.bind(&item.key).bind(expected);
        let query = query.bind(&item.value).bind(millis(item.ttl));
        let done = query.execute(self.pool().await?).await?;
        Ok(done.rows_affected() == 1)
    }

    pub(super) async fn extend(&self, keys: &[String], ttl: i64) -> sqlx::Result<()> {
        let until = until("$2::bigint");
        let text = format!(
            "UPDATE {TABLE} SET expires = {until} WHERE key IN (
                 SELECT key FROM {TABLE}
                 WHERE key = ANY($1) AND expires > {NOW} AND expires < {until}
                 ORDER BY key FOR UPDATE
             )"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(keys).bind(ttl);
        query.execute(self.pool().await?).await.map(drop)
    }

    pub(super) async fn sweep(&self) -> sqlx::Result<u64> {
        let text = format!(
            "DELETE FROM {TABLE} WHERE key IN (
                 SELECT key FROM {TABLE} WHERE expires <= {NOW}
                 LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED
             )"
        );
        let query = sqlx::query(AssertSqlSafe(text));
        Ok(query.execute(self.pool().await?).await?.rows_affected())
    }

    /// Messages are text there, and channels have short names.
    pub(super) async fn publish(&self, channel: &str, message: &[u8]) -> sqlx::Result<()> {
        let text: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
        let query = sqlx::query("SELECT pg_notify($1, $2)");
        let query = query.bind(short(channel)).bind(text);
        query.execute(&self.pool).await.map(drop)
    }

    pub(super) async fn listen(
        &self,
        channel: &str,
        hear: &(dyn Fn(Option<&[u8]>) + Send + Sync),
    ) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(&short(channel)).await?;
        hear(None);
        // None: it was lost, and something with it.
        while let Some(message) = listener.try_recv().await? {
            hear(Some(&bytes(message.payload())));
        }
        Ok(())
    }
}

fn short(channel: &str) -> String {
    format!("dewar_{}", names::digest(channel.as_bytes()))
}

/// The bytes of hexadecimal digits; what is none ends them.
fn bytes(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map_while(byte).collect()
}
