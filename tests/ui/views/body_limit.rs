//! A limit that is no number of bytes.

use dewar::cached;

const LIMIT: &str = "64 KiB";

#[cached(view, body_limit = LIMIT)]
async fn page() -> &'static str {
    "page"
}

fn main() {
    let _: axum::Router = axum::Router::new().fallback(page);
}
