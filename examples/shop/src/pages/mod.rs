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
mod users;
mod weather;

use axum::Router;
use axum::http::HeaderValue;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use dewar::Cache;
use dewar::dashboard::Dashboard;
use dewar::http::{cache_control, conditional, never_cache};

use crate::Shop;
use crate::data::compare::{MEMORY, NONE};
use crate::web::{assets, failed::Failed, guard};
use http_caching::{by_condition, dynamic, fixed};

/// All addresses of the shop.
pub fn router(shop: Shop) -> Router {
    Router::new()
        .merge(pages())
        .merge(kept_by_the_browser())
        .merge(kept_by_nobody())
        .nest("/cache-stats", dashboard(&shop))
        .route("/assets/{name}", get(assets::asset))
        .fallback(async || Failed::NotFound)
        .layer(from_fn(guard::guard))
        .with_state(shop)
}

fn pages() -> Router<Shop> {
    Router::new()
        .route("/", get(home::home))
        .route("/products", get(products::list).post(edit::create))
        .route("/products/new", get(edit::new))
        .route("/products/{id}", get(products::detail))
        .route("/products/{id}/edit", get(edit::edit).post(edit::update))
        .route("/products/{id}/delete", post(edit::delete))
        .route("/users", get(users::users))
        .route("/weather", get(weather::page))
        .route("/expensive-view", get(expensive::expensive))
        .route("/api/data", get(api::data))
        .route("/api/products", get(api::products))
}

/// Pages that tell the browser how long they are good for.
fn kept_by_the_browser() -> Router<Shop> {
    let an_hour = HeaderValue::from_static("public, max-age=3600");
    // Asked for each time, and sent only if it has changed.
    let each_time = HeaderValue::from_static("no-cache");
    Router::new()
        .route("/static-content", get(fixed).layer(cache_control(an_hour)))
        .route(
            "/conditional-content",
            get(by_condition).layer((conditional(), cache_control(each_time))),
        )
}

/// What the caches do.
fn dashboard(shop: &Shop) -> Router<Shop> {
    Dashboard::new()
        .title("The shop's caches")
        .cache(&Cache::current())
        .cache(&MEMORY)
        .cache(&NONE)
        .cache(shop.sessions.cache())
        .back("/", "The shop")
        // For whoever sits at this computer: the shop listens on 127.0.0.1 alone. One that others
        // can reach puts its login in front of the dashboard.
        .allow_invalidation()
        .router()
}

/// Pages of one reader, and what is measured: neither the browser nor anything on the way keeps it.
fn kept_by_nobody() -> Router<Shop> {
    Router::new()
        .route("/dynamic-content", get(dynamic))
        .route("/login", get(account::form).post(account::login))
        .route("/logout", post(account::logout))
        .route("/account", get(account::account).post(account::rename))
        .route("/products/compare", get(compare::compare))
        .route("/benchmark", get(benchmark::benchmark))
        .route("/api/weather", get(weather::api))
        .layer(never_cache())
}
