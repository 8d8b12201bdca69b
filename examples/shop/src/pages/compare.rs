//! `/products/compare`: the same query through different stores.

use std::future::Future;
use std::time::Instant;

use axum::extract::State;
use axum::response::{Html, IntoResponse};
use dewar::Cache;
use dewar::store::{Health, StoreStatus};
use serde::Serialize;
use sqlx::SqlitePool;

use crate::Shop;
use crate::data::compare::{REDIS, by_memory, by_none, by_redis, redis_is_configured};
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

/// How the store is that the shop runs on.
#[derive(Debug, Serialize)]
struct Watched {
    store: String,
    state: &'static str,
    /// What that means.
    meaning: &'static str,
    /// Whether other instances tell of changes; none if the store has no way for that.
    push: Option<bool>,
    undelivered: usize,
    /// What went wrong last, and how many seconds ago.
    failure: Option<(String, u64)>,
}

impl Watched {
    /// From what the page has just `asked`, and the shop's `own` cache: that one listens and tells.
    fn new(asked: StoreStatus, own: StoreStatus) -> Self {
        let (state, meaning) = match asked.health {
            Health::Up => ("up", "it answers"),
            Health::HalfOpen => (
                "half-open",
                "it did not answer, and is being tried again with one request",
            ),
            _ => (
                "down",
                "it does not answer: the shop goes on without it and tries again by itself",
            ),
        };
        Watched {
            store: own.store,
            state,
            meaning,
            push: own.push,
            undelivered: own.undelivered,
            failure: asked.last_failure.map(|it| (it.error, it.ago.as_secs())),
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
    let own = Cache::current().store_status();
    let asked = redis_is_configured()
        .then(|| REDIS.store_status())
        .flatten();
    let store = own.map(|own| Watched::new(asked.unwrap_or_else(|| own.clone()), own));
    let slowest = rows
        .iter()
        .flat_map(|row| &row.millis)
        .fold(1.0, |most, &ms| f64::max(most, ms));
    let html: Html<String> = shop.templates.render(
        "compare.html",
        context! { rows, slowest, store, times => TIMES },
    )?;
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
