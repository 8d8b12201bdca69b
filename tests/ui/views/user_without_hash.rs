//! A user that the key cannot hold.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::get;
use dewar::cached;

struct CurrentUser {
    name: String,
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = ();

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, ()> {
        Err(())
    }
}

#[cached(view, timeout = 60)]
async fn account(user: CurrentUser) -> String {
    user.name
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", get(account));
}
