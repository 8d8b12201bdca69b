//! The whole request.

use axum::extract::Request;
use axum::routing::get;
use dewar::cached;

#[cached(view, timeout = 60)]
async fn page(request: Request) -> String {
    request.uri().to_string()
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", get(page));
}
