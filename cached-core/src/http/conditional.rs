//! Preconditions (RFC 9110, section 13).

use http::header::{
    CACHE_CONTROL, DATE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE, SET_COOKIE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, response};

use super::control::Control;
use super::date;
use super::list::members;
use super::stored::keep_for_304;

/// An entity tag: whether it is weak, and what stands in its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    weak: bool,
    opaque: &'a [u8],
}

impl<'a> Tag<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (weak, rest) = match bytes {
            [b'W', b'/', rest @ ..] => (true, rest),
            _ => (false, bytes),
        };
        let [b'"', opaque @ .., b'"'] = rest else {
            return None;
        };
        let fits = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..);
        opaque.iter().all(fits).then_some(Tag { weak, opaque })
    }

    /// The weak comparison, for `If-None-Match`.
    pub(crate) fn matches(self, other: Tag<'_>) -> bool {
        self.opaque == other.opaque
    }

    /// The strong comparison, for `If-Range`.
    pub(crate) fn is_same(self, other: Tag<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }
}

/// Whether the request has conditions that only the handler can judge.
pub(crate) fn is_for_handler(request: &HeaderMap) -> bool {
    request.contains_key(IF_MATCH) || request.contains_key(IF_UNMODIFIED_SINCE)
}

/// Whether the client has what the response holds: a 304 is enough.
///
/// `If-None-Match` comes before `If-Modified-Since`, also where it cannot be read.
pub(crate) fn is_not_modified(request: &HeaderMap, response: &HeaderMap) -> bool {
    if request.contains_key(IF_NONE_MATCH) {
        return none_match(request, response.get(ETAG));
    }
    let mut lines = request.get_all(IF_MODIFIED_SINCE).iter();
    let (Some(since), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let modified = response.get(LAST_MODIFIED).or_else(|| response.get(DATE));
    match (date::parse(since), modified.and_then(date::parse)) {
        (Some(since), Some(modified)) => modified <= since,
        _ => false,
    }
}

/// Makes the 304 of a whole response, where it has a validator and the client has what it holds; says
/// whether it did. Cookies are told all the same.
pub(crate) fn not_modified(request: &HeaderMap, head: &mut response::Parts) -> bool {
    if !has_validator(&head.headers) || !is_not_modified(request, &head.headers) {
        return false;
    }
    let mut headers = HeaderMap::new();
    keep_for_304(&head.headers, &mut headers);
    for cookie in head.headers.get_all(SET_COOKIE) {
        headers.append(SET_COOKIE, cookie.clone());
    }
    head.headers = headers;
    head.status = StatusCode::NOT_MODIFIED;
    true
}

/// The response to a GET or HEAD whose conditions the handler was not shown.
pub(crate) fn judged<B>(
    response: Response<B>,
    request: &HeaderMap,
    empty: fn() -> B,
) -> Response<B> {
    let (mut head, body) = response.into_parts();
    let same = head.status == StatusCode::OK && not_modified(request, &mut head);
    Response::from_parts(head, if same { empty() } else { body })
}

/// Takes out of a request what its client wants for itself: a part, or news, or that nothing is stored.
pub(crate) fn widen(request: &mut HeaderMap) {
    for name in [RANGE, IF_RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE] {
        request.remove(name);
    }
    if Control::of(request).no_store {
        request.remove(CACHE_CONTROL);
    }
}

/// Whether there is something by which the client can ask for news.
pub(crate) fn has_validator(response: &HeaderMap) -> bool {
    response.contains_key(ETAG) || response.contains_key(LAST_MODIFIED)
}

fn none_match(request: &HeaderMap, etag: Option<&HeaderValue>) -> bool {
    let mut list = members(request, IF_NONE_MATCH).peekable();
    if list.next_if_eq(&&b"*"[..]).is_some() {
        return list.next().is_none();
    }
    let Some(etag) = etag.and_then(|etag| Tag::parse(etag.as_bytes())) else {
        return false;
    };
    list.filter_map(Tag::parse).any(|tag| tag.matches(etag))
}

/// The weak comparison; what is no tag is compared by its bytes.
fn is_one_tag(a: &HeaderValue, b: &HeaderValue) -> bool {
    let parsed = (Tag::parse(a.as_bytes()), Tag::parse(b.as_bytes()));
    a == b || matches!(parsed, (Some(a), Some(b)) if a.matches(b))
}

/// The conditions under which the handler need not send again what is stored.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// The request's own stay.
    keep: bool,
    /// The request is one of the cache's own.
    widened: bool,
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

impl Conditions {
    /// None but the request's own.
    pub(crate) fn own() -> Self {
        Conditions {
            keep: true,
            ..Conditions::default()
        }
    }

    /// Of a stored response.
    pub(crate) fn of(stored: &HeaderMap) -> Self {
        Conditions {
            etag: stored.get(ETAG).cloned(),
            last_modified: stored.get(LAST_MODIFIED).cloned(),
            ..Conditions::default()
        }
    }

    /// The same for a request of the cache's own, made of a client's that has its answer.
    pub(crate) fn widened(mut self, widened: bool) -> Self {
        self.widened = widened;
        self
    }

    /// Whether a 304 with these fields speaks of what they came from. It names the response that holds
    /// by its validators: another tag, another response (RFC 9111, section 4.3.4).
    ///
    /// A weak tag and a strong one of the same name are of one response: what compresses on the way
    /// weakens the tag of a 200, and leaves that of a 304 as it is.
    pub(crate) fn are_confirmed_by(&self, news: &HeaderMap) -> bool {
        let mut tags = news.get_all(ETAG).iter().peekable();
        if tags.peek().is_some() {
            let own = self.etag.as_ref();
            return own.is_some_and(|own| tags.all(|tag| is_one_tag(own, tag)));
        }
        let dates = (&self.last_modified, news.get(LAST_MODIFIED));
        let (Some(own), Some(said)) = dates else {
            return true;
        };
        own == said || date::parse(own).is_some_and(|own| Some(own) == date::parse(said))
    }

    /// Whether the request's own were taken out.
    pub(crate) fn replace(&self) -> bool {
        !self.keep
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }

    /// Puts them in the place of the request's own, which the cache judges itself; what is to be
    /// stored must be whole. Where nothing is to be stored, the request stays as it is.
    pub fn apply(&self, request: &mut HeaderMap) {
        if self.widened {
            widen(request);
        }
        if self.keep {
            return;
        }
        request.remove(IF_NONE_MATCH);
        request.remove(IF_MODIFIED_SINCE);
        if let Some(etag) = &self.etag {
            request.insert(IF_NONE_MATCH, etag.clone());
        }
        if let Some(last_modified) = &self.last_modified {
            request.insert(IF_MODIFIED_SINCE, last_modified.clone());
        }
    }
}

#[cfg(test)]
#[path = "conditional_tests.rs"]
mod tests;
