//! Any user, and nothing said about it.

use axum::extract::FromRequestParts;
use axum::response::IntoResponse;
use dewar::cached;

#[cached(view, timeout = 60)]
async fn account<U: FromRequestParts<()> + IntoResponse + Send + 'static>(user: U) -> U {
    user
}

fn main() {}
