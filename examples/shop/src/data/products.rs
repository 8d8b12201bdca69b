//! Products.

use dewar::{cached, invalidates};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteArguments;
use sqlx::{FromRow, Sqlite, SqlitePool};

use super::Wanted;
use super::compare::{MEMORY, REDIS};
use crate::db::round_trip;
use crate::web::time;

/// Products on one page of the list.
pub const PER_PAGE: i64 = 24;

/// Something to buy.
#[derive(Clone, Debug, Serialize, Deserialize, FromRow)]
pub struct Product {
    /// Its number.
    pub id: i64,
    /// What there is to know about it.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub draft: Draft,
}

/// A product without its number, as a form describes it.
#[derive(Clone, Debug, Serialize, Deserialize, FromRow)]
pub struct Draft {
    /// What it is called.
    pub name: String,
    /// One of the names of [`categories`].
    pub category: String,
    /// Who makes it.
    pub maker: String,
    /// A sentence or two.
    pub description: String,
    /// The price in cents.
    pub cents: i64,
    /// How many there are.
    pub stock: i64,
}

/// One page of the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List {
    /// Those on this page.
    pub products: Vec<Product>,
    /// How many there are on all pages.
    pub total: i64,
    /// When it was read from the database.
    pub read_at: String,
}

impl List {
    /// How many pages there are.
    pub fn pages(&self) -> i64 {
        (self.total + PER_PAGE - 1) / PER_PAGE
    }
}

/// A page of the list, from 1 on; of one category or of all.
///
/// # Errors
/// What the database says.
#[cached(
    timeout = "10m",
    key_prefix = "products:list",
    tags("products"),
    skip(db, wanted),
    unless = wanted == Wanted::Bypassed,
    refresh_if = wanted == Wanted::Refreshed,
)]
pub async fn list(
    db: &SqlitePool,
    category: Option<&str>,
    page: i64,
    wanted: Wanted,
) -> Result<List, sqlx::Error> {
    round_trip().await;
    let total =
        sqlx::query_scalar("SELECT count(*) FROM products WHERE ?1 IS NULL OR category = ?1")
            .bind(category)
            .fetch_one(db)
            .await?;
    let products = sqlx::query_as(
        "SELECT * FROM products WHERE ?1 IS NULL OR category = ?1 ORDER BY id LIMIT ?2 OFFSET ?3",
    )
    .bind(category)
    .bind(PER_PAGE)
    .bind((page - 1).saturating_mul(PER_PAGE))
    .fetch_all(db)
    .await?;
    Ok(List {
        products,
        total,
        read_at: time::now(),
    })
}

/// A product. One that is not there is not remembered: it may be created at any moment.
///
/// # Errors
/// What the database says.
#[cached(timeout = "1h", key_prefix = "product:{id}", skip(db))]
pub async fn find(db: &SqlitePool, id: i64) -> Result<Option<Product>, sqlx::Error> {
    round_trip().await;
    sqlx::query_as("SELECT * FROM products WHERE id = ?")
        .bind(id)
        .fetch_optional(db)
        .await
}

/// The categories, and how many products each has.
///
/// # Errors
/// What the database says.
#[cached(
    timeout = "1h",
    key_prefix = "products:categories",
    tags("products"),
    skip(db)
)]
pub async fn categories(db: &SqlitePool) -> Result<Vec<(String, i64)>, sqlx::Error> {
    round_trip().await;
    sqlx::query_as("SELECT category, count(*) FROM products GROUP BY category ORDER BY category")
        .fetch_all(db)
        .await
}

/// Adds a product; returns its number.
///
/// # Errors
/// What the database says.
#[invalidates(tag = "products")]
#[invalidates(cache = MEMORY, tag = "products")]
#[invalidates(cache = REDIS, tag = "products")]
pub async fn create(db: &SqlitePool, draft: &Draft) -> Result<i64, sqlx::Error> {
    let insert = "INSERT INTO products (name, category, maker, description, cents, stock) \
                  VALUES (?, ?, ?, ?, ?, ?)";
    let done = bound(sqlx::query(insert), draft).execute(db).await?;
    Ok(done.last_insert_rowid())
}

/// Changes a product; false if there is none. When it has returned, nobody reads the old one.
///
/// # Errors
/// What the database says.
#[invalidates(prefix = "product:{id}", tag = "products")]
#[invalidates(cache = MEMORY, tag = "products")]
#[invalidates(cache = REDIS, tag = "products")]
pub async fn update(db: &SqlitePool, id: i64, draft: &Draft) -> Result<bool, sqlx::Error> {
    let update = "UPDATE products SET name = ?, category = ?, maker = ?, description = ?, \
                  cents = ?, stock = ? WHERE id = ?";
    let done = bound(sqlx::query(update), draft)
        .bind(id)
        .execute(db)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// A query with the fields of a draft, in their order.
fn bound<'q>(query: Bound<'q>, draft: &'q Draft) -> Bound<'q> {
    query
        .bind(&draft.name)
        .bind(&draft.category)
        .bind(&draft.maker)
        .bind(&draft.description)
        .bind(draft.cents)
        .bind(draft.stock)
}

type Bound<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Removes a product; false if there is none.
///
/// # Errors
/// What the database says.
#[invalidates(prefix = "product:{id}", tag = "products")]
#[invalidates(cache = MEMORY, tag = "products")]
#[invalidates(cache = REDIS, tag = "products")]
pub async fn delete(db: &SqlitePool, id: i64) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("DELETE FROM products WHERE id = ?")
        .bind(id)
        .execute(db)
        .await?;
    Ok(done.rows_affected() > 0)
}
