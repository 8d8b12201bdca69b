//! `/products/compare`: the same query through different stores.

use std::future::Future;
use std::time::Instant;

use axum::extract::State;
use axum::response::{Html, IntoResponse};
use serde::Serialize;
use sqlx::SqlitePool;

use crate::Shop;
use crate::data::compare::{by_memory, by_none, by_redis, redis_is_configured};
use crate::data::products::Product;
use crate::templates::context;
use crate::web::failed::Failed;

/// How often each store is asked.
const TIMES: usize = 5;

/// How one store did.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    /// Milliseconds of each reading; none at all if it is not configured.
    millis: Vec<f64>,
    note: &'static str,
    products: Vec<Product>,
}

impl Row {
    fn new(name: &'static str, note: &'static str) -> Self {
        Row {
            name,
            millis: Vec::new(),
            note,
            products: Vec::new(),
        }
    }
}

pub(super) async fn compare(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    let redis = if redis_is_configured() {
        measured("Redis", "asked each time", &shop.db, by_redis).await?
    } else {
        Row::new("Redis", "not configured")
    };
    let rows = [
        redis,
        measured("Memory", "in this process", &shop.db, by_memory).await?,
        measured("None", "the database each time", &shop.db, by_none).await?,
    ];
    let slowest = rows
        .iter()
        .flat_map(|row| &row.millis)
        .fold(1.0, |most, &ms| f64::max(most, ms));
    let html: Html<String> = shop
        .templates
        .render("compare.html", context! { rows, slowest, times => TIMES })?;
    Ok(html)
}

async fn measured<'a, F>(
    name: &'static str,
    note: &'static str,
    db: &'a SqlitePool,
    read: impl Fn(&'a SqlitePool) -> F,
) -> Result<Row, Failed>
where
    F: Future<Output = Result<Vec<Product>, sqlx::Error>>,
{
    let mut row = Row::new(name, note);
    for _ in 0..TIMES {
        let started = Instant::now();
        row.products = read(db).await?;
        row.millis.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(row)
}
