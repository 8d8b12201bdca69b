//! A stored response, and the variants of one URL.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{
    AGE, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_RANGE, DATE, ETAG, EXPIRES,
    LAST_MODIFIED, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use super::body::ViewBody;
use super::conditional;
use super::date::Seconds;
use super::freshness::{Freshness, nanos};
use super::range::{self, Range};
use super::status;
use super::vary::Selecting;
use super::view::View;
use crate::clock::Nanos;

/// A complete response. Nothing in it changes: freshening makes another one.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) status: StatusCode,
    /// With an `Age`, and perhaps a `Cache-Status`, that are replaced in each answer.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) selecting: Selecting,
    pub(crate) freshness: Freshness,
    /// Its age when it was received.
    pub(crate) initial_age: Nanos,
    /// Whether it was past its freshness when it was made.
    pub(crate) made_stale: bool,
    /// By the clock of the cache, so that the time since then is monotonic.
    pub(crate) received: Nanos,
    /// When the handler made it.
    pub(crate) date: Seconds,
    /// The place of its load among all loads.
    pub(crate) order: u64,
    pub(crate) used: Used,
    pub(crate) retry: Retry,
}

/// When something was served last.
#[derive(Debug, Default)]
pub(crate) struct Used(AtomicU64);

impl Used {
    pub(crate) fn at(now: Nanos) -> Self {
        Used(AtomicU64::new(now))
    }

    fn get(&self) -> Nanos {
        self.0.load(Ordering::Relaxed)
    }

    fn now(&self, now: Nanos) {
        self.0.store(now, Ordering::Relaxed);
    }
}

/// When a load may be tried again after one that failed.
#[derive(Debug, Default)]
pub(crate) struct Retry(AtomicU64);

impl Retry {
    /// Not before then.
    pub(crate) fn put_off(&self, until: Nanos) {
        self.0.fetch_max(until, Ordering::Relaxed);
    }

    /// Whether it is too early.
    pub(crate) fn is_put_off(&self, now: Nanos) -> bool {
        now < self.0.load(Ordering::Relaxed)
    }
}

/// How long a stale response with a validator is kept, so that the handler may say that it still
/// holds: as long as it was fresh, and not less or more than this.
const KEPT: (Nanos, Nanos) = (60 * 1_000_000_000, 24 * 3600 * 1_000_000_000);

/// Keeps places in the header for what differs with each answer: a map that grows costs more than
/// the rest of it.
pub(crate) fn keep_places(view: &View, headers: &mut HeaderMap) {
    headers.insert(AGE, HeaderValue::from(0));
    if view.policy.name.is_some() {
        status::keep_place(headers);
    }
}

/// Gives values of their own to fields that are stored. Those that a client has received are slices of
/// its read buffer, and would hold all of it for as long as they live.
pub(crate) fn detach(headers: &mut HeaderMap) {
    for value in headers.values_mut() {
        if let Ok(mut own) = HeaderValue::from_bytes(value.as_bytes()) {
            own.set_sensitive(value.is_sensitive());
            *value = own;
        }
    }
}

impl Stored {
    pub(crate) fn age(&self, now: Nanos) -> Nanos {
        self.initial_age
            .saturating_add(now.saturating_sub(self.received))
    }

    /// How long it is past its freshness; none while it is fresh.
    pub(crate) fn staleness(&self, now: Nanos) -> Option<Nanos> {
        self.age(now).checked_sub(self.freshness.lifetime)
    }

    /// Whether it may not be used without asking the handler, and might not when it was made.
    pub(crate) fn is_never_fresh(&self) -> bool {
        self.freshness.validate || self.made_stale
    }

    /// Seconds of freshness left; negative past it.
    pub(crate) fn ttl(&self, now: Nanos) -> i64 {
        let seconds = |time: Nanos| i64::try_from(time / nanos(1)).unwrap_or(i64::MAX);
        seconds(self.freshness.lifetime) - seconds(self.age(now))
    }

    /// Until when it may be of use.
    fn until(&self) -> Nanos {
        let freshness = &self.freshness;
        let validator = self.headers.contains_key(ETAG) || self.headers.contains_key(LAST_MODIFIED);
        let kept = if validator {
            freshness.lifetime.clamp(KEPT.0, KEPT.1)
        } else {
            0
        };
        let past = kept.max(freshness.while_revalidate).max(freshness.if_error);
        let fresh = freshness.lifetime.saturating_sub(self.initial_age);
        self.received.saturating_add(fresh).saturating_add(past)
    }

    /// Whether that is the same answer of the handler, wherever it was read.
    #[cfg(feature = "stores")]
    fn is(&self, other: &Stored) -> bool {
        self.date == other.date
            && self.status == other.status
            && self.body == other.body
            && self.headers == other.headers
    }

    pub(crate) fn bytes(&self) -> usize {
        let fields = self.headers.iter();
        let headers: usize = fields
            .map(|(name, value)| name.as_str().len() + value.len() + 64)
            .sum();
        size_of::<Stored>() + headers + self.selecting.bytes() + self.body.len()
    }

    /// The response to a request for it: whole, a part of it, or the news that nothing has changed.
    pub(crate) fn answer(
        &self,
        method: &Method,
        request: &HeaderMap,
        now: Nanos,
    ) -> Response<ViewBody> {
        let mut response = self.select(method, request);
        let age = HeaderValue::from(self.age(now) / nanos(1));
        response.headers_mut().insert(AGE, age);
        response
    }

    /// The same with an `Age` that means nothing, or none.
    pub(crate) fn select(&self, method: &Method, request: &HeaderMap) -> Response<ViewBody> {
        if self.status.is_success() && conditional::is_not_modified(request, &self.headers) {
            return self.not_modified();
        }
        let length = self.body.len();
        let range = match self.status {
            StatusCode::OK if method == Method::GET => range::of(request, &self.headers, length),
            _ => Range::Whole,
        };
        match range {
            Range::Whole => self.whole(method),
            Range::Part { first, last } => {
                let mut response = self.with(self.body.slice(first..=last).into());
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let headers = response.headers_mut();
                headers.insert(CONTENT_RANGE, range::content_range(first, last, length));
                headers.insert(CONTENT_LENGTH, HeaderValue::from(last - first + 1));
                response
            }
            Range::Unsatisfiable => {
                let mut response = self.with(ViewBody::empty());
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                let headers = response.headers_mut();
                headers.insert(CONTENT_RANGE, range::unsatisfied(length));
                headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
                response
            }
        }
    }

    fn whole(&self, method: &Method) -> Response<ViewBody> {
        if method != Method::HEAD {
            return self.with(self.body.clone().into());
        }
        let mut response = self.with(ViewBody::empty());
        if has_content(self.status) {
            let length = HeaderValue::from(self.body.len());
            response.headers_mut().insert(CONTENT_LENGTH, length);
        }
        response
    }

    fn with(&self, body: ViewBody) -> Response<ViewBody> {
        let body = match has_content(self.status) {
            true => body,
            false => ViewBody::none(),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }

    /// RFC 9110, section 15.4.5.
    fn not_modified(&self) -> Response<ViewBody> {
        let mut response = Response::new(ViewBody::none());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        keep_for_304(&self.headers, response.headers_mut());
        response
    }
}

/// Whether a response with this status has a body, be it empty (RFC 9110, section 6.4.1).
pub(crate) fn has_content(status: StatusCode) -> bool {
    !matches!(status.as_u16(), 204 | 304)
}

/// The fields of a response that its 304 has too. What else there is the client has, but for what
/// caches on the way say.
const OF_304: [HeaderName; 8] = [
    CACHE_CONTROL,
    CONTENT_LOCATION,
    DATE,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    VARY,
    HeaderName::from_static("cache-status"),
];

pub(crate) fn keep_for_304(from: &HeaderMap, to: &mut HeaderMap) {
    for name in OF_304 {
        for value in from.get_all(&name) {
            to.append(name.clone(), value.clone());
        }
    }
}

/// The variants of one URL, told apart by what `Vary` names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variants(Vec<Arc<Stored>>);

impl Variants {
    /// The one that a request selects: of several the one that was made last (RFC 9111, section 4.1).
    pub(crate) fn select(&self, request: &HeaderMap) -> Option<&Arc<Stored>> {
        let fitting = self.0.iter().filter(|it| it.selecting.matches(request));
        fitting.max_by_key(|stored| (stored.date, stored.order))
    }

    /// These and another one, in the place of the one that the same requests select; none if that
    /// one is the newer.
    pub(crate) fn with(&self, new: Arc<Stored>, most: usize) -> Option<Self> {
        let same = |old: &Arc<Stored>| old.selecting == new.selecting;
        if self.0.iter().any(|old| same(old) && old.order > new.order) {
            return None;
        }
        let mut all: Vec<_> = self.0.iter().filter(|old| !same(old)).cloned().collect();
        // What nobody has asked for the longest time makes room.
        while all.len() >= most.max(1) {
            let uses = all.iter().map(|it| (it.used.get(), it.order));
            let (least, _) = uses.enumerate().min_by_key(|(_, uses)| *uses)?;
            all.remove(least);
        }
        all.push(new);
        Some(Variants(all))
    }

    /// Those of requests that are not meant; none where there are none.
    pub(crate) fn beside(&self, meant: &Selecting) -> Option<Self> {
        let others = self.0.iter().filter(|it| !meant.meets(&it.selecting));
        let others: Vec<_> = others.cloned().collect();
        (!others.is_empty()).then_some(Variants(others))
    }

    /// Whether these, which came later than those before, have something fresh of their own for the
    /// requests that select this.
    #[cfg(feature = "stores")]
    pub(crate) fn have_overtaken(&self, this: &Stored, before: &Variants, now: Nanos) -> bool {
        let of = |all: &Variants| {
            let mut all = all.0.iter();
            all.find(|it| it.selecting == this.selecting).cloned()
        };
        let known = of(before);
        let is_new = |it: &Arc<Stored>| known.is_none_or(|known| !it.is(&known));
        of(self).is_some_and(|it| it.staleness(now).is_none() && is_new(&it))
    }

    /// Notes that one of them is served.
    pub(crate) fn served(&self, stored: &Stored, now: Nanos) {
        // It matters where there are others; hits of one page share no line of memory for it.
        if self.0.len() > 1 && stored.used.get() < now {
            stored.used.now(now);
        }
    }

    /// The fields by which the one that was stored last was selected.
    pub(crate) fn names(&self) -> Vec<HeaderName> {
        self.0
            .last()
            .map_or_else(Vec::new, |last| last.selecting.names())
    }

    /// All of them, the one that was stored last at the end.
    #[cfg(feature = "stores")]
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Stored>> {
        self.0.iter()
    }

    /// Until when one of them may be of use.
    pub(crate) fn until(&self) -> Nanos {
        self.0
            .iter()
            .map(|stored| stored.until())
            .max()
            .unwrap_or(0)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(|stored| stored.bytes()).sum()
    }
}

#[cfg(feature = "stores")]
impl From<Vec<Arc<Stored>>> for Variants {
    fn from(all: Vec<Arc<Stored>>) -> Self {
        Variants(all)
    }
}

#[cfg(test)]
mod tests {
    use super::detach;
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn stored_fields_hold_no_buffer_of_a_connection() {
        let buffer = Bytes::from(b"a page, secret, ".repeat(500));
        let mut headers = HeaderMap::new();
        for range in [0..1, 2..6, 8..14] {
            let value = HeaderValue::from_maybe_shared(buffer.slice(range)).unwrap();
            headers.append("x", value);
        }
        headers.get_mut("x").unwrap().set_sensitive(true);
        let before = headers.clone();
        detach(&mut headers);
        assert_eq!(headers, before);
        let sensitive = headers.get_all("x").iter().map(HeaderValue::is_sensitive);
        assert_eq!(sensitive.collect::<Vec<_>>(), [true, false, false]);
        drop(before);
        assert!(buffer.is_unique());
    }
}
