//! A shop with a thousand products on SQLite in memory, cached by dewar.
//!
//! ```text
//! cargo run --example shop
//! ```
//!
//! | where | what |
//! | --- | --- |
//! | [`data`] | the functions that read and write: `#[cached]`, `#[invalidates]` |
//! | [`pages`] | one module for each part of the shop: what a request gets; `#[cached(view)]` |
//! | [`db`] | the database and what it is filled with |
//! | [`web`] | sessions, flash messages, errors, headers, style sheets |
//! | [`templates`] | the pages' HTML |
//!
//! Nothing in it knows which store is behind the cache: that is `CACHE_TYPE` in the environment. With
//! `CACHE_TYPE=redis`, `memcached`, `database` or `filesystem` several instances, each with a `PORT` of its own,
//! share what they have read.

pub mod data;
pub mod db;
pub mod pages;
pub mod templates;
pub mod web;

use std::sync::Arc;

use axum::extract::FromRef;
use sqlx::SqlitePool;

pub use pages::router;

/// What every handler can ask for.
#[derive(Clone, Debug)]
pub struct Shop {
    /// The connections to the database.
    pub db: SqlitePool,
    /// The templates.
    pub templates: Arc<templates::Templates>,
    /// Who is logged in.
    pub sessions: web::session::Sessions,
    /// The database lives as long as a connection to it does.
    _anchor: Arc<db::Anchor>,
}

impl Shop {
    /// A shop with a new database.
    ///
    /// # Errors
    /// The database could not be made, or a template has a mistake.
    pub async fn open() -> Result<Shop, Box<dyn std::error::Error>> {
        let (db, anchor) = db::open().await?;
        Ok(Shop {
            db,
            templates: Arc::new(templates::Templates::new()?),
            sessions: web::session::Sessions::new()?,
            _anchor: Arc::new(anchor),
        })
    }
}

impl FromRef<Shop> for SqlitePool {
    fn from_ref(shop: &Shop) -> Self {
        shop.db.clone()
    }
}
