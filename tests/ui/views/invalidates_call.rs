//! A view's entries go by their URLs, also for the function that changes the data.

use axum::extract::Path;
use axum::routing::get;
use dewar::{cached, invalidates};

#[cached(view, timeout = 60)]
async fn product(Path(id): Path<u64>) -> String {
    id.to_string()
}

#[invalidates(product(id))]
async fn rename(id: u64) {
    drop(id);
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/{id}", get(product));
    drop(rename(1));
}
