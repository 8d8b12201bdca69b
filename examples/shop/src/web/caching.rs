//! What browsers are told about keeping a page, and pages that are asked for again on condition.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Response};

/// `Cache-Control` for a page that anybody may keep for so many seconds.
pub(crate) fn public(seconds: u32) -> [(HeaderName, String); 1] {
    [(CACHE_CONTROL, format!("public, max-age={seconds}"))]
}

/// `Cache-Control` for a page that nobody may keep.
pub(crate) fn never_cache() -> [(HeaderName, String); 1] {
    [(CACHE_CONTROL, "no-store".to_owned())]
}

/// The page with an `ETag`; without its body, where the browser has that one already.
pub(crate) fn conditional(request: &HeaderMap, page: Html<String>) -> Response {
    let mut hasher = DefaultHasher::new();
    page.0.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let known = request.get_all(IF_NONE_MATCH).into_iter();
    let mut known = known.filter_map(|line| line.to_str().ok());
    let same = known.any(|line| line.split(',').any(|one| matches(one.trim(), &tag)));
    let headers = [(CACHE_CONTROL, "no-cache".to_owned()), (ETAG, tag)];
    if same {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, page).into_response()
    }
}

/// Compared weakly, as RFC 9110, section 13.1.2 asks for.
fn matches(given: &str, tag: &str) -> bool {
    given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag
}
