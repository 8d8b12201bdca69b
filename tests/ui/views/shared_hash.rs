//! A page that is to reach other processes, by an argument that they cannot know.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use dewar::cached;

#[derive(Clone, PartialEq, Eq, Hash)]
struct CurrentUser(u64);

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = StatusCode;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        Ok(CurrentUser(1))
    }
}

#[cached(view, timeout = 60, shared)]
async fn account(user: CurrentUser) -> String {
    user.0.to_string()
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", get(account));
}
