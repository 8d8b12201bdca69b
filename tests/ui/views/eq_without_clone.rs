//! A user that can be compared, and not be kept for that.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::get;
use dewar::cached;

#[derive(PartialEq, Eq, Hash)]
struct CurrentUser(u64);

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = ();

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, ()> {
        Err(())
    }
}

#[cached(view, timeout = 60)]
async fn account(CurrentUser(id): CurrentUser) -> String {
    id.to_string()
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", get(account));
}
