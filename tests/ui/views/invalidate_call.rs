//! A view's entries go by their URLs.

use axum::extract::Path;
use axum::routing::get;
use dewar::{cached, invalidate};

#[cached(view, timeout = 60)]
async fn product(Path(id): Path<u64>) -> String {
    id.to_string()
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/{id}", get(product));
    let _ = invalidate!(product(1));
}
