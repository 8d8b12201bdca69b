//! The database: SQLite in memory, one for all connections.

mod seed;
mod words;

use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Executor, SqliteConnection, SqlitePool};

/// A connection that is kept open: with the last one the database would be gone.
#[derive(Debug)]
pub struct Anchor {
    _connection: SqliteConnection,
}

/// A new database with a thousand products.
///
/// # Errors
/// What SQLite says.
pub async fn open() -> Result<(SqlitePool, Anchor), sqlx::Error> {
    let options = SqliteConnectOptions::from_str("sqlite::memory:")?.foreign_keys(true);
    let mut connection = options.connect().await?;
    connection.execute(include_str!("schema.sql")).await?;
    seed::fill(&mut connection).await?;
    let pool = SqlitePoolOptions::new()
        .max_connections(5)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await?;
    let anchor = Anchor {
        _connection: connection,
    };
    Ok((pool, anchor))
}

/// What it takes to reach a database on another machine. This one is in the same process, and
/// would make a cache look of little use.
pub(crate) async fn round_trip() {
    tokio::time::sleep(Duration::from_millis(25)).await;
}
