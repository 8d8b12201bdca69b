//! Users and what they have ordered.

use dewar::{cached, invalidates};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, SqlitePool};

use crate::db::round_trip;
use crate::web::time;

/// Somebody with an account.
#[derive(Clone, Debug, Serialize, Deserialize, FromRow)]
pub struct User {
    /// Their number.
    pub id: i64,
    /// The name they log in with.
    pub login: String,
    /// The name they go by.
    pub name: String,
    /// Where to write to.
    pub email: String,
    /// Where they live.
    pub city: String,
    /// What they say of themselves.
    pub about: String,
}

/// A line of an order.
#[derive(Clone, Debug, Serialize, Deserialize, FromRow)]
pub struct Order {
    /// The product, if the shop still has it.
    pub product_id: Option<i64>,
    /// What it was called.
    pub product: String,
    /// How many.
    pub quantity: i64,
    /// What one did cost, in cents.
    pub cents: i64,
    /// The day.
    pub ordered_on: String,
}

/// What one user has ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    /// The latest first.
    pub orders: Vec<Order>,
    /// When it was read from the database.
    pub read_at: String,
}

/// Everybody.
///
/// # Errors
/// What the database says.
#[cached(timeout = "10m", key_prefix = "users:all", tags("users"), skip(db))]
pub async fn all(db: &SqlitePool) -> Result<Vec<User>, sqlx::Error> {
    round_trip().await;
    sqlx::query_as("SELECT * FROM users ORDER BY id")
        .fetch_all(db)
        .await
}

/// One user.
///
/// # Errors
/// What the database says.
#[cached(timeout = "10m", key_prefix = "user:{id}", skip(db))]
pub async fn find(db: &SqlitePool, id: i64) -> Result<Option<User>, sqlx::Error> {
    round_trip().await;
    sqlx::query_as("SELECT * FROM users WHERE id = ?")
        .bind(id)
        .fetch_optional(db)
        .await
}

/// What a user has ordered.
///
/// # Errors
/// What the database says.
#[cached(timeout = "10m", key_prefix = "user:{id}:orders", skip(db))]
pub async fn orders(db: &SqlitePool, id: i64) -> Result<Orders, sqlx::Error> {
    round_trip().await;
    let orders = sqlx::query_as(
        "SELECT product_id, product, quantity, cents, ordered_on FROM orders \
         WHERE user_id = ? ORDER BY ordered_on DESC",
    )
    .bind(id)
    .fetch_all(db)
    .await?;
    Ok(Orders {
        orders,
        read_at: time::now(),
    })
}

/// Gives a user another name: their own page and the list of all change with it.
///
/// # Errors
/// What the database says.
#[invalidates(prefix = "user:{id}", tag = "users")]
pub async fn rename(db: &SqlitePool, id: i64, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE users SET name = ? WHERE id = ?")
        .bind(name)
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}
