//! All headers: a cookie among them.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::routing::get;
use dewar::cached;

#[cached(view, timeout = 60)]
async fn page(Path(id): Path<u64>, headers: HeaderMap) -> String {
    format!("{id} {headers:?}")
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/{id}", get(page));
}
