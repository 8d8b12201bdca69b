//! One load for all processes is for functions.

use dewar::cached;

#[cached(view, timeout = 60, single_flight = "distributed")]
async fn page() -> &'static str {
    "page"
}

fn main() {
    let _: axum::Router = axum::Router::new().fallback(page);
}
