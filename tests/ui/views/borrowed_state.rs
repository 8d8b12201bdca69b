//! An option that takes a value out of an argument.

use axum::extract::Path;
use axum::routing::get;
use dewar::cached;

fn is_draft(name: String) -> bool {
    name.starts_with("draft-")
}

#[cached(view, unless = is_draft(name))]
async fn page(Path(name): Path<String>) -> String {
    name
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/{name}", get(page));
}
