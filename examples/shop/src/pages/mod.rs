//! What a request gets: one module for each part of the shop.

mod account;
mod api;
mod benchmark;
mod compare;
mod edit;
mod expensive;
mod home;
mod http_caching;
mod products;
mod stats;
mod users;
mod weather;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use crate::Shop;
use crate::web::{assets, failed::Failed, guard};

/// All addresses of the shop.
pub fn router(shop: Shop) -> Router {
    Router::new()
        .route("/", get(home::home))
        .route("/products", get(products::list).post(edit::create))
        .route("/products/new", get(edit::new))
        .route("/products/compare", get(compare::compare))
        .route("/products/{id}", get(products::detail))
        .route("/products/{id}/edit", get(edit::edit).post(edit::update))
        .route("/products/{id}/delete", post(edit::delete))
        .route("/users", get(users::users))
        .route("/weather", get(weather::page))
        .route("/benchmark", get(benchmark::benchmark))
        .route("/expensive-view", get(expensive::expensive))
        .route("/static-content", get(http_caching::fixed))
        .route("/dynamic-content", get(http_caching::dynamic))
        .route("/conditional-content", get(http_caching::conditional))
        .route("/login", get(account::form).post(account::login))
        .route("/logout", post(account::logout))
        .route("/account", get(account::account).post(account::rename))
        .route("/api/data", get(api::data))
        .route("/api/products", get(api::products))
        .route("/api/weather", get(weather::api))
        .route("/cache-stats", get(stats::page))
        .route("/cache-stats/stats.json", get(stats::json))
        .route("/cache-stats/metrics", get(stats::metrics))
        .route("/assets/{name}", get(assets::asset))
        .fallback(async || Failed::NotFound)
        .layer(from_fn(guard::guard))
        .with_state(shop)
}
