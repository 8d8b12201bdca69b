//! What takes long to work out.

use std::time::Duration;

use dewar::cached;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, SqlitePool};

use crate::web::time;

/// What a category is worth.
#[derive(Clone, Debug, Serialize, Deserialize, FromRow)]
pub struct Line {
    /// The name of the category.
    pub category: String,
    /// How many products it has.
    pub products: i64,
    /// What is in stock, in pieces.
    pub stock: i64,
    /// What that would cost, in cents.
    pub cents: i64,
    /// How many pieces were ordered.
    pub ordered: i64,
}

/// What all categories are worth.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The category that is worth most first.
    pub lines: Vec<Line>,
    /// When it was worked out.
    pub made_at: String,
}

/// Takes the better part of a second.
///
/// # Errors
/// What the database says.
#[cached(
    timeout = "5m",
    key_prefix = "reports:stock",
    tags("products"),
    skip(db)
)]
pub async fn stock(db: &SqlitePool) -> Result<Report, sqlx::Error> {
    // Stands for the size that this shop's data will have one day.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let lines = sqlx::query_as(
        "SELECT p.category, count(*) AS products, sum(p.stock) AS stock, \
                sum(p.stock * p.cents) AS cents, \
                (SELECT coalesce(sum(o.quantity), 0) FROM orders o \
                 JOIN products q ON q.id = o.product_id WHERE q.category = p.category) AS ordered \
         FROM products p GROUP BY p.category ORDER BY cents DESC",
    )
    .fetch_all(db)
    .await?;
    Ok(Report {
        lines,
        made_at: time::now(),
    })
}
