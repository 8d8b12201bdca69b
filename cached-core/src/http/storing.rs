//! Whether a response may be stored, and what of it (RFC 9111, section 3).

use http::header::{
    AGE, AUTHORIZATION, CONNECTION, CONTENT_RANGE, CONTENT_TYPE, COOKIE, ETAG, LAST_MODIFIED,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, RANGE, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{HeaderMap, HeaderName, StatusCode};

use super::control::Control;
use super::freshness::{self, Freshness, Timing};
use super::list::members;
use super::policy::{Credentials, SetCookie, Statuses, ViewPolicy};
use super::targeted;
use super::vary::{self, Selecting};

/// Why a response is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Status,
    NoStore,
    Private,
    Credentials,
    SetCookie,
    Vary,
    Partial,
    Stream,
    NoFreshness,
}

/// What is known of a response that may be stored.
#[derive(Debug)]
pub(crate) struct Storable {
    pub(crate) freshness: Freshness,
    pub(crate) selecting: Selecting,
}

/// The directives that hold for this cache.
pub(crate) fn control_of(policy: &ViewPolicy, headers: &HeaderMap) -> Control {
    match targeted::field(policy, headers) {
        Some(field) => Control::in_field(headers, field),
        None => Control::of(headers),
    }
}

/// Whether the response to a GET with these header fields may be stored.
pub(crate) fn judge(
    policy: &ViewPolicy,
    request: &HeaderMap,
    status: StatusCode,
    headers: &HeaderMap,
    timing: &Timing,
) -> Result<Storable, Refused> {
    let control = control_of(policy, headers);
    check_status(policy, status, &control)?;
    if Control::of(request).no_store || (control.no_store && !control.must_understand) {
        return Err(Refused::NoStore);
    }
    if control.private {
        return Err(Refused::Private);
    }
    if has_credentials(policy, request) && !freshness::is_shared(&control) {
        return Err(Refused::Credentials);
    }
    if headers.contains_key(SET_COOKIE) && policy.set_cookie == SetCookie::Refused {
        return Err(Refused::SetCookie);
    }
    if is_partial(policy, request, status, headers) {
        return Err(Refused::Partial);
    }
    if is_stream(headers) {
        return Err(Refused::Stream);
    }
    let names = vary::names(headers, &selecting(policy)).ok_or(Refused::Vary)?;
    let freshness = freshness::of(policy, status, headers, &control, timing)
        .filter(|freshness| is_useful(freshness, headers))
        .ok_or(Refused::NoFreshness)?;
    Ok(Storable {
        freshness,
        selecting: Selecting::of(request, names),
    })
}

fn check_status(policy: &ViewPolicy, status: StatusCode, control: &Control) -> Result<(), Refused> {
    if status.is_informational()
        || status == StatusCode::PARTIAL_CONTENT
        || status == StatusCode::NOT_MODIFIED
        || is_of_one_request(status)
        || (control.must_understand && !is_understood(status))
    {
        return Err(Refused::Status);
    }
    let wanted = match &policy.statuses {
        Statuses::Success => matches!(status.as_u16(), 200 | 203 | 204),
        Statuses::Only(statuses) => statuses.contains(&status),
        Statuses::Any => true,
    };
    if wanted { Ok(()) } else { Err(Refused::Status) }
}

/// Whether it says something of a part only: the next client may ask for the whole.
fn is_partial(
    policy: &ViewPolicy,
    request: &HeaderMap,
    status: StatusCode,
    headers: &HeaderMap,
) -> bool {
    // In a whole response the field has no meaning; an origin may send it all the same.
    let told = headers.contains_key(CONTENT_RANGE) && !matches!(policy.statuses, Statuses::Any);
    told || (request.contains_key(RANGE) && status != StatusCode::OK)
}

/// Statuses that concern one request, or one client, whatever the response says: another request
/// for the same URL would be answered otherwise. Stored, each of them is a way to take a page off
/// the net by asking for it in a strange way.
pub(crate) fn is_of_one_request(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        401 | 407
            | 408
            | 411
            | 412
            | 413
            | 415
            | 416
            | 417
            | 421
            | 425
            | 426
            | 428
            | 429
            | 431
            | 511
    )
}

/// Statuses whose caching rules are known here, for `must-understand` (section 5.2.2.3).
fn is_understood(status: StatusCode) -> bool {
    freshness::is_heuristically_cacheable(status)
        || matches!(
            status.as_u16(),
            302 | 303 | 307 | 400 | 403 | 500 | 502 | 503 | 504
        )
}

/// Whether the request says who asks, in a field that is taken as private.
pub(crate) fn has_credentials(policy: &ViewPolicy, request: &HeaderMap) -> bool {
    let private = |how, field| how == Credentials::Private && request.contains_key(field);
    private(policy.authorization, AUTHORIZATION) || private(policy.cookies, COOKIE)
}

/// The fields that select by policy.
pub(crate) fn selecting(policy: &ViewPolicy) -> Vec<HeaderName> {
    let keyed = |how, field: HeaderName| (how == Credentials::Keyed).then_some(field);
    let more = [
        keyed(policy.cookies, COOKIE),
        keyed(policy.authorization, AUTHORIZATION),
    ];
    policy
        .vary
        .iter()
        .cloned()
        .chain(more.into_iter().flatten())
        .collect()
}

/// Whether the request says who asks, in a field that selects the response.
pub(crate) fn is_of_one_user(policy: &ViewPolicy, request: &HeaderMap) -> bool {
    let selecting = selecting(policy);
    let keyed = |field| request.contains_key(&field) && selecting.contains(&field);
    keyed(AUTHORIZATION) || keyed(COOKIE)
}

/// A body that goes on for as long as somebody listens.
fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes());
    let essence = kind.and_then(|kind| kind.split(|byte| *byte == b';').next());
    essence.is_some_and(|essence| {
        let essence = essence.trim_ascii();
        essence.eq_ignore_ascii_case(b"text/event-stream")
            || essence.eq_ignore_ascii_case(b"multipart/x-mixed-replace")
            || essence
                .to_ascii_lowercase()
                .starts_with(b"application/grpc")
    })
}

/// What is never fresh is stored only where the handler can be asked whether it still holds.
fn is_useful(freshness: &Freshness, headers: &HeaderMap) -> bool {
    let validator = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
    let fresh = freshness.lifetime > 0 && !freshness.validate;
    fresh || validator || freshness.while_revalidate.max(freshness.if_error) > 0
}

/// The fields that concern one connection, or one client, only (section 3.1).
const HOP_BY_HOP: [HeaderName; 11] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    AGE,
];

/// Takes out what is not to be stored.
pub(crate) fn strip(policy: &ViewPolicy, headers: &mut HeaderMap) {
    strip_connection(headers);
    if policy.set_cookie != SetCookie::Kept {
        headers.remove(SET_COOKIE);
    }
}

/// Takes out the fields of one connection.
pub(crate) fn strip_connection(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = members(headers, CONNECTION)
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .collect();
    for name in listed.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
#[path = "storing_tests.rs"]
mod tests;
