//! The table in PostgreSQL.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{
    PgArguments, PgConnectOptions, PgConnection, PgDatabaseError, PgListener, PgPool,
    PgPoolOptions, PgRow,
};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, Postgres as Db, Row};

use super::{AT_ONCE, EVER, Failure, Result, Rows, TABLE, Table, millis};
use crate::store::{Item, names};

pub(super) struct Postgres {
    pool: PgPool,
    options: Arc<PgConnectOptions>,
    place: String,
    pub(super) table: Arc<Table>,
}

type Statement<'q> = Query<'q, Db, PgArguments>;

/// How long connecting may take.
const CONNECTING: Duration = Duration::from_secs(5);

/// A connection at work. Dropped before it is done, it is closed: nobody knows whether it will ever
/// answer, and the pool would wait for that.
struct Lent(Option<PoolConnection<Db>>);

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

/// A connection that was used so short a time ago is taken to be alive.
const TRUSTED: Duration = Duration::from_secs(1);

/// The database's clock, in milliseconds since 1970: the same for all processes.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// The order in which everybody locks rows, so that nobody waits in a circle: that of [`Rows`], which
/// is by bytes, whatever the database's own is.
const IN_ORDER: &str = r#"ORDER BY key COLLATE "C" FOR UPDATE"#;

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
            .acquire_timeout(CONNECTING)
            // Not each time: that would be a second round trip for every operation.
            .test_before_acquire(false)
            .before_acquire(|connection, known| {
                Box::pin(async move {
                    if known.idle_for >= TRUSTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options.clone());
        Some(Postgres {
            pool,
            options: Arc::new(options),
            place,
            table: Arc::default(),
        })
    }

    pub(super) fn describe(&self) -> String {
        format!("postgres {}", self.place)
    }

    /// A connection, the table made.
    async fn connection(&self) -> Result<PoolConnection<Db>> {
        let (pool, table) = (self.pool.clone(), Arc::clone(&self.table));
        let options = Arc::clone(&self.options);
        // A task of its own: when this caller leaves, it goes on for the next.
        let connecting = tokio::spawn(async move {
            let connecting = async {
                table.made(make(&pool, &options)).await?;
                pool.acquire().await.map_err(Failure::Unusable)
            };
            let connected = tokio::time::timeout(CONNECTING, connecting).await;
            let connected = connected.unwrap_or(Err(Failure::Unusable(sqlx::Error::PoolTimedOut)));
            connected.inspect_err(|_| table.forget())
        });
        match connecting.await {
            Ok(connected) => connected,
            Err(_) => Err(Failure::Unusable(sqlx::Error::WorkerCrashed)),
        }
    }

    async fn rows(&self, statement: Statement<'_>) -> Result<Vec<PgRow>> {
        let mut lent = Lent(Some(self.connection().await?));
        let Some(connection) = &mut lent.0 else {
            return Ok(Vec::new());
        };
        let rows = statement.fetch_all(&mut **connection).await;
        drop(lent.0.take());
        Ok(rows?)
    }

    /// How many rows it concerned.
    async fn execute(&self, statement: Statement<'_>) -> Result<u64> {
        let mut lent = Lent(Some(self.connection().await?));
        let Some(connection) = &mut lent.0 else {
            return Ok(0);
        };
        let done = statement.execute(&mut **connection).await;
        drop(lent.0.take());
        Ok(done?.rows_affected())
    }

    pub(super) async fn get(&self, keys: &[String]) -> Result<HashMap<String, Vec<u8>>> {
        let text =
            format!("SELECT key, value FROM {TABLE} WHERE key = ANY($1) AND expires > {NOW}");
        let query = sqlx::query(AssertSqlSafe(text)).bind(keys);
        let rows = self.rows(query).await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    pub(super) async fn set(&self, rows: &Rows) -> Result<()> {
        let text = format!(
            "INSERT INTO {TABLE} (key, value, expires)
             SELECT key, value, {} FROM unnest($1::text[], $2::bytea[], $3::bigint[])
                 AS new (key, value, ttl)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
            until("ttl")
        );
        let query = sqlx::query(AssertSqlSafe(text));
        let query = query.bind(&rows.keys).bind(&rows.values).bind(&rows.ttls);
        self.execute(query).await.map(drop)
    }

    /// Those keys that had nothing.
    pub(super) async fn add(&self, rows: &Rows) -> Result<HashSet<String>> {
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
        let query = query.bind(&rows.keys).bind(&rows.values).bind(&rows.ttls);
        let added = self.rows(query).await?;
        added.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    pub(super) async fn delete(&self, keys: &[String]) -> Result<()> {
        let text = format!(
            "DELETE FROM {TABLE} WHERE key IN (
                 SELECT key FROM {TABLE} WHERE key = ANY($1) {IN_ORDER}
             )"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(keys);
        self.execute(query).await.map(drop)
    }

    /// Those keys that had what was expected; of a repeated key, the first counts.
    pub(super) async fn swap(&self, swaps: &[(Vec<u8>, Item)]) -> Result<HashSet<String>> {
        // In the order of the keys, as everybody writes. What a row has by then is asked again.
        let text = format!(
            "WITH new AS (
                 SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[])
                     AS new (key, old, value, ttl)
             ), same AS (
                 SELECT held.key, new.old, new.value, new.ttl FROM {TABLE} AS held
                 JOIN new ON held.key = new.key AND held.value = new.old AND held.expires > {NOW}
                 ORDER BY held.key COLLATE \"C\" FOR UPDATE OF held
             )
             UPDATE {TABLE} AS held SET value = same.value, expires = {}
             FROM same WHERE held.key = same.key AND held.value = same.old
             RETURNING held.key",
            until("same.ttl")
        );
        let mut first: Vec<&(Vec<u8>, Item)> = Vec::with_capacity(swaps.len());
        let mut known = HashSet::new();
        first.extend(swaps.iter().filter(|(_, item)| known.insert(&item.key)));
        let (mut keys, mut old) = (Vec::new(), Vec::new());
        let (mut values, mut ttls) = (Vec::new(), Vec::new());
        for (expected, item) in first {
            keys.push(item.key.as_str());
            old.push(expected.as_slice());
            values.push(item.value.as_slice());
            ttls.push(millis(item.ttl));
        }
        let query = sqlx::query(AssertSqlSafe(text)).bind(keys).bind(old);
        let query = query.bind(values).bind(ttls);
        let swapped = self.rows(query).await?;
        swapped.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    pub(super) async fn extend(&self, keys: &[String], ttl: i64) -> Result<()> {
        let until = until("$2::bigint");
        let text = format!(
            "UPDATE {TABLE} SET expires = {until} WHERE key IN (
                 SELECT key FROM {TABLE}
                 WHERE key = ANY($1) AND expires > {NOW} AND expires < {until}
                 {IN_ORDER}
             )"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(keys).bind(ttl);
        self.execute(query).await.map(drop)
    }

    pub(super) async fn sweep(&self) -> Result<u64> {
        let text = format!(
            "DELETE FROM {TABLE} WHERE key IN (
                 SELECT key FROM {TABLE} WHERE expires <= {NOW}
                 LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED
             )"
        );
        let query = sqlx::query(AssertSqlSafe(text));
        self.execute(query).await
    }

    /// Messages are text there, and channels have short names.
    pub(super) async fn publish(&self, channel: &str, message: &[u8]) -> Result<()> {
        let text: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
        let query = sqlx::query("SELECT pg_notify($1, $2)");
        let query = query.bind(short(channel)).bind(text);
        self.execute(query).await.map(drop)
    }

    pub(super) async fn listen(
        &self,
        channel: &str,
        hear: &(dyn Fn(Option<&[u8]>) + Send + Sync),
    ) -> Result<()> {
        // A pool of its own: one that is silent is waited for, and must not take a place from others.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(CONNECTING)
            .connect_lazy_with((*self.options).clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(&short(channel)).await?;
        hear(None);
        // None: it was lost, and something with it.
        while let Some(message) = listener.try_recv().await? {
            hear(Some(&bytes(message.payload())));
        }
        Ok(())
    }
}

/// Makes the table, unless it is there: who may only use it is not to be turned down. Two who make
/// it at once take turns.
async fn make(pool: &PgPool, options: &PgConnectOptions) -> sqlx::Result<()> {
    reach(options).await?;
    let mut lent = Lent(Some(pool.acquire().await?));
    let Some(connection) = &mut lent.0 else {
        return Ok(());
    };
    let there = sqlx::query("SELECT to_regclass($1) IS NOT NULL").bind(TABLE);
    if !there.fetch_one(&mut **connection).await?.try_get(0)? {
        create(connection).await?;
    }
    drop(lent.0.take());
    Ok(())
}

async fn create(connection: &mut PgConnection) -> sqlx::Result<()> {
    let mut transaction = connection.begin().await?;
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
}

/// Connects once, to hear why that cannot be done: where nobody listens, the pool tries again for
/// seconds and does not say why in the end.
async fn reach(options: &PgConnectOptions) -> sqlx::Result<()> {
    match PgConnection::connect_with(options).await {
        Ok(connection) => connection.close().await,
        // It is starting, or has no room just now: that is worth trying again.
        Err(sqlx::Error::Database(said)) if ["57P03", "53300"].contains(&code(&*said)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The server's code of an error; empty if it is of another kind of database.
fn code(said: &dyn DatabaseError) -> &str {
    let said = said.try_downcast_ref::<PgDatabaseError>();
    said.map(PgDatabaseError::code).unwrap_or_default()
}

/// Whether an error says that nothing can be done, whatever the statement was: no login, no such
/// database, no room for one more connection or for anything, the server is ending.
///
/// A disk that is full is not among them: what is there can be read.
pub(super) fn is_unusable(said: &dyn DatabaseError) -> bool {
    let (code, classes) = (code(said), ["08", "28", "3D", "53", "57P"]);
    classes.iter().any(|class| code.starts_with(class)) && code != "53100"
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
