//! A result that is no response.

use axum::extract::Path;
use axum::routing::get;
use dewar::cached;

#[cached(view, timeout = 60)]
async fn page(Path(id): Path<u64>) -> u64 {
    id
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/{id}", get(page));
}
