//! What middleware found out, without a `Hash`.

use axum::Extension;
use axum::routing::get;
use dewar::cached;

#[derive(Clone)]
struct Session {
    user: u64,
}

#[cached(view, timeout = 60)]
async fn page(Extension(session): Extension<Session>) -> String {
    session.user.to_string()
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", get(page));
}
