//! The same query through different caches.

use std::sync::LazyLock;
use std::time::Duration;

use dewar::{Cache, StoreKind, cached};
use sqlx::SqlitePool;

use super::products::Product;
use crate::db::round_trip;
use crate::web::stores;

/// A cache in this process' memory, whatever the shop itself uses.
pub static MEMORY: LazyLock<Cache> = LazyLock::new(|| {
    Cache::builder()
        .name("compare")
        .max_entries(100)
        .build()
        .unwrap_or_else(|_| Cache::current())
});

/// Redis, which is asked each time; [`MEMORY`] where it is not configured.
pub static REDIS: LazyLock<Cache> = LazyLock::new(|| {
    let cache = stores::redis().and_then(|builder| {
        let asked_each_time = builder.memory_copies(Duration::ZERO);
        asked_each_time.name("compare-redis").build().ok()
    });
    cache.unwrap_or_else(|| MEMORY.clone())
});

/// Whether [`REDIS`] is what it says.
pub fn redis_is_configured() -> bool {
    !REDIS.same(&MEMORY)
}

/// No cache.
pub static NONE: LazyLock<Cache> = LazyLock::new(|| {
    Cache::builder()
        .name("none")
        .store(StoreKind::Null)
        .build()
        .unwrap_or_else(|_| Cache::current())
});

/// The first products, through [`REDIS`].
///
/// # Errors
/// What the database says.
#[cached(cache = REDIS, timeout = "10m", key_prefix = "compare", tags("products"), skip(db))]
pub async fn by_redis(db: &SqlitePool) -> Result<Vec<Product>, sqlx::Error> {
    first(db).await
}

/// The first products, through [`MEMORY`].
///
/// # Errors
/// What the database says.
#[cached(cache = MEMORY, timeout = "10m", key_prefix = "compare", tags("products"), skip(db))]
pub async fn by_memory(db: &SqlitePool) -> Result<Vec<Product>, sqlx::Error> {
    first(db).await
}

/// The first products, through [`NONE`].
///
/// # Errors
/// What the database says.
#[cached(cache = NONE, timeout = "10m", key_prefix = "compare", tags("products"), skip(db))]
pub async fn by_none(db: &SqlitePool) -> Result<Vec<Product>, sqlx::Error> {
    first(db).await
}

async fn first(db: &SqlitePool) -> Result<Vec<Product>, sqlx::Error> {
    round_trip().await;
    sqlx::query_as("SELECT * FROM products ORDER BY id LIMIT 8")
        .fetch_all(db)
        .await
}
