//! Who is logged in: a cookie with a name that cannot be guessed, and a cache of those names.

use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::{HeaderMap, HeaderValue, request::Parts};
use axum::response::{IntoResponse, Redirect, Response};
use dewar::Cache;
use serde::Serialize;

use super::{cookie, failed::Failed, stores};
use crate::Shop;

const COOKIE: &str = "session";
/// A session ends so long after it was last used.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The sessions; in a cache of their own, so that products cannot push them out.
#[derive(Clone, Debug)]
pub struct Sessions(Cache);

impl Sessions {
    pub(crate) fn new() -> Result<Self, dewar::Error> {
        // Where several instances share a store, they share the sessions.
        let cache = stores::shared()?
            .unwrap_or_default()
            .name("sessions")
            .max_entries(10_000)
            .default_timeout(LIFETIME)
            .build()?;
        Ok(Sessions(cache))
    }

    /// The cache behind them.
    pub(crate) fn cache(&self) -> &Cache {
        &self.0
    }

    /// Starts a session; returns the cookie for it.
    pub(crate) async fn start(&self, user: i64) -> Result<Option<HeaderValue>, Failed> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| Failed::Other(error.to_string()))?;
        let name = format!("{:032x}", u128::from_le_bytes(random));
        self.0.set(&name, user, LIFETIME).await?;
        Ok(cookie::set(COOKIE, &name, LIFETIME.as_secs() as u32))
    }

    /// Ends the session of these headers; returns the cookie that is left.
    pub(crate) async fn end(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Failed> {
        if let Some(name) = cookie::get(headers, COOKIE) {
            self.0.delete(name).await?;
        }
        Ok(cookie::set(COOKIE, "", 0))
    }

    async fn user(&self, headers: &HeaderMap) -> Option<i64> {
        let name = cookie::get(headers, COOKIE)?;
        let user = self.0.get::<i64>(name).await?;
        self.0.touch(name, LIFETIME).await.ok()?;
        Some(user)
    }
}

/// The user who asks; whoever is not logged in is led to the form.
///
/// Serialised, it is what other instances know this user's pages by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct CurrentUser {
    /// Their number.
    pub id: i64,
}

impl<S: Sync> FromRequestParts<S> for CurrentUser
where
    Shop: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let sessions = Shop::from_ref(state).sessions;
        match sessions.user(&parts.headers).await {
            Some(id) => Ok(CurrentUser { id }),
            None => Err(Redirect::to("/login").into_response()),
        }
    }
}
