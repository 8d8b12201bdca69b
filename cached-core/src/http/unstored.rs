//! What caches on the way are told of the responses that this one does not keep.

use http::header::{CACHE_CONTROL, EXPIRES, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::policy::{SetCookie, ViewPolicy};
use super::storing::{has_credentials, is_of_one_user};

/// Whose a response is that is not stored, as far as the handler's arguments say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "axum"),
    expect(dead_code, reason = "a layer knows no arguments")
)]
pub(crate) enum Unstored {
    /// Nobody knows: it goes out as it came.
    Untold,
    /// Everybody's, but for what credentials or a cookie make one user's.
    Shared,
    /// Perhaps one user's.
    Doubtful,
    /// The one's whom the arguments name.
    Personal,
}

/// `Cache-Control` of a response that is not stored and says nothing itself: caches between here and
/// the client know the URL alone, and may keep for a while what nobody tells them not to.
pub(crate) fn guard(policy: &ViewPolicy, request: &HeaderMap, response: &mut HeaderMap) {
    let silent = !response.contains_key(CACHE_CONTROL) && !response.contains_key(EXPIRES);
    if !silent || policy.client.is_none() || policy.unstored == Unstored::Untold {
        return;
    }
    let personal = policy.unstored == Unstored::Personal
        || has_credentials(policy, request)
        || is_of_one_user(policy, request)
        || response.contains_key(SET_COOKIE);
    let told = match policy.unstored {
        _ if personal => "private, no-cache",
        Unstored::Doubtful => "no-cache",
        _ => return,
    };
    response.insert(CACHE_CONTROL, HeaderValue::from_static(told));
}

/// The same, where this cache has said it, of a response whose cookies are for one client and are not
/// stored with it.
pub(crate) fn keep_cookie(policy: &ViewPolicy, response: &mut HeaderMap) {
    let told = response.get(CACHE_CONTROL).map(HeaderValue::as_bytes);
    let is_kept_nowhere = told.is_some_and(|told| told.eq_ignore_ascii_case(b"no-store"));
    let is_stripped = policy.set_cookie != SetCookie::Kept && response.contains_key(SET_COOKIE);
    if is_stripped && !is_kept_nowhere {
        response.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
}
