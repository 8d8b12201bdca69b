//! Invalidating from the page, and from nowhere else.

use std::hash::{BuildHasher, RandomState};

use axum::extract::Request;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;

use super::{Shown, text};
use crate::cache::Cache;
use crate::scope::Label;

/// A name of a prefix or tag is no longer.
const LONGEST: usize = 4096;

/// What the page alone knows, for as long as the process runs.
pub(super) struct Token(String);

impl Token {
    /// Two keyed hashes under keys that the operating system has chosen.
    pub(super) fn new() -> Self {
        let half = || RandomState::new().hash_one("dewar dashboard");
        Token(format!("{:016x}{:016x}", half(), half()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// In a time that does not depend on how much of it is right.
    fn is(&self, given: &str) -> bool {
        blake3::hash(self.0.as_bytes()) == blake3::hash(given.as_bytes())
    }
}

/// What is to be invalidated.
#[derive(Deserialize)]
struct Order {
    cache: String,
    what: What,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Prefix,
    Tag,
    Function,
    All,
}

pub(super) async fn answer(shown: &Shown, request: Request) -> Response {
    match invalidate(shown, request).await {
        Ok(()) => say(StatusCode::OK, "invalidated"),
        Err((status, why)) => say(status, &why),
    }
}

fn say(status: StatusCode, what: &str) -> Response {
    let mut response = text("text/plain", what.to_owned());
    *response.status_mut() = status;
    response
}

type Refused = (StatusCode, String);

fn refused<T>(status: StatusCode, why: impl Into<String>) -> Result<T, Refused> {
    Err((status, why.into()))
}

async fn invalidate(shown: &Shown, request: Request) -> Result<(), Refused> {
    let (head, body) = request.into_parts();
    let given = head.headers.get("x-dewar-token");
    let given = given.and_then(|token| token.to_str().ok()).unwrap_or("");
    let known = shown.token.as_ref().is_some_and(|token| token.is(given));
    if !is_ours(&head.headers) || !known {
        return refused(
            StatusCode::FORBIDDEN,
            "only the dashboard itself may invalidate; if this is it, load the page again",
        );
    }
    let kind = head.headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes());
    if kind != Some(b"application/json") {
        return refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "give `application/json`",
        );
    }
    let Ok(body) = Limited::new(body, LONGEST).collect().await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long");
    };
    let order: Order = serde_json::from_slice(&body.to_bytes())
        .or_else(|error| refused(StatusCode::BAD_REQUEST, error.to_string()))?;
    let caches = shown.caches();
    let names = crate::figures::names(&caches);
    let mut known = names.iter().zip(&caches);
    let Some((_, cache)) = known.find(|(name, _)| **name == order.cache) else {
        return refused(StatusCode::NOT_FOUND, "there is no such cache here");
    };
    carry_out(cache, order).await
}

async fn carry_out(cache: &Cache, order: Order) -> Result<(), Refused> {
    let name = order.name.trim();
    if name.is_empty() && !matches!(order.what, What::All) {
        return refused(StatusCode::BAD_REQUEST, "say which");
    }
    let invalidation = cache.invalidation();
    let invalidation = match order.what {
        What::Prefix => invalidation.prefix(Label::from(name)),
        What::Tag => invalidation.tag(Label::from(name)),
        What::All => invalidation.all(),
        What::Function => match cache.function_ids(name) {
            ids if ids.is_empty() => {
                return refused(
                    StatusCode::NOT_FOUND,
                    "no function of this name was called yet",
                );
            }
            ids => invalidation.functions(name, ids),
        },
    };
    (invalidation.run().await).or_else(|error| refused(StatusCode::BAD_GATEWAY, error.to_string()))
}

/// Whether a request comes from a page of this very site, as far as the browser says so.
fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    // A browser that says nothing of the site says at least where the page is from.
    let origin = text(ORIGIN.as_str()).and_then(|origin| origin.split_once("://"));
    match (origin, text(HOST.as_str())) {
        (Some((_, origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}
