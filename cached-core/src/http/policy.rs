//! What is stored, for how long, and what clients are told: plain data.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use super::query::QueryRule;
use super::unstored::Unstored;
use crate::clock::{Nanos, nanos};
use crate::policy::RETRY;

/// How the responses of a handler, or of everything behind a layer, are cached.
///
/// What a response says itself comes first; the policy fills the gaps, and bounds what may be
/// stored at all. The default is the cautious choice everywhere: responses without freshness of
/// their own are not stored, only those with a status of 2xx are, and nothing that belongs to one
/// user is ever shared.
///
/// ```
/// use dewar::http::ViewPolicy;
/// use http::header::ACCEPT_LANGUAGE;
/// use std::time::Duration;
///
/// let policy = ViewPolicy::new()
///     .timeout(Duration::from_secs(60))
///     .vary([ACCEPT_LANGUAGE])
///     .ignore_query(["utm_*"]);
/// ```
#[derive(Clone, Debug)]
pub struct ViewPolicy {
    pub(crate) timeout: Option<Nanos>,
    pub(crate) heuristic: Option<u16>,
    pub(crate) statuses: Statuses,
    pub(crate) query: QueryRule,
    pub(crate) vary: Vec<HeaderName>,
    pub(crate) cookies: Credentials,
    pub(crate) authorization: Credentials,
    pub(crate) set_cookie: SetCookie,
    pub(crate) host: bool,
    pub(crate) body_limit: usize,
    pub(crate) variants: usize,
    pub(crate) client: Option<HeaderValue>,
    pub(crate) etag: Option<Etag>,
    pub(crate) last_modified: bool,
    pub(crate) stale_while_revalidate: Nanos,
    pub(crate) stale_if_error: Nanos,
    pub(crate) retry: Nanos,
    pub(crate) obey_requests: bool,
    pub(crate) single_flight: bool,
    pub(crate) targeted: Option<HeaderName>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) local: bool,
    pub(crate) unstored: Unstored,
}

/// The kind of entity tag that a response without one is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Etag {
    Strong,
    Weak,
}

/// Which statuses may be stored.
#[derive(Clone, Debug)]
pub(crate) enum Statuses {
    /// 200, 203 and 204.
    Success,
    /// These.
    Only(Vec<StatusCode>),
    /// Every final one whose response says so itself, and those that HTTP calls cacheable.
    Any,
}

/// How a request header that says who asks, `Cookie` or `Authorization`, is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// The response may belong to one user: it is neither stored nor taken from the cache unless it
    /// says `public`, `s-maxage` or `must-revalidate` (RFC 9111, section 3.5).
    #[default]
    Private,
    /// The header is part of what tells responses apart, as if `Vary` named it: each value has
    /// responses of its own.
    Keyed,
    /// The header does not matter: everybody is given the same response. Right only where no
    /// handler looks at it, or where the key holds what the handler made of it.
    Ignored,
}

/// What is done with a response that sets a cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetCookie {
    /// It is not stored.
    #[default]
    Refused,
    /// It is stored without its cookies: whoever is served from the cache is given none.
    Stripped,
    /// It is stored with its cookies, and everybody is given the same ones.
    Kept,
}

impl Default for ViewPolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl ViewPolicy {
    /// The cautious choice everywhere.
    pub fn new() -> Self {
        ViewPolicy {
            timeout: None,
            heuristic: None,
            statuses: Statuses::Success,
            query: QueryRule::default(),
            vary: Vec::new(),
            cookies: Credentials::Private,
            authorization: Credentials::Private,
            set_cookie: SetCookie::Refused,
            host: true,
            body_limit: 1 << 20,
            variants: 32,
            client: Some(HeaderValue::from_static("no-cache")),
            etag: Some(Etag::Strong),
            last_modified: true,
            stale_while_revalidate: 0,
            stale_if_error: 0,
            retry: RETRY,
            obey_requests: false,
            single_flight: true,
            targeted: None,
            name: Some("dewar".into()),
            local: false,
            unstored: Unstored::Untold,
        }
    }

    /// What suits a cache in front of an origin that speaks for itself: nothing is added to
    /// responses but what a cache must add, every status may be stored whose response says so, and
    /// clients' request directives are obeyed.
    pub fn proxy() -> Self {
        ViewPolicy {
            statuses: Statuses::Any,
            client: None,
            etag: None,
            last_modified: false,
            obey_requests: true,
            ..Self::new()
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $t:ty)?) $field:ident = $value:expr;)*) => {
        impl ViewPolicy {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self $(, $arg: $t)?) -> Self {
                self.$field = $value;
                self
            }
        )*}
    };
}

setters! {
    /// How long a response is fresh that does not say so itself. Without it such a response is not
    /// stored.
    timeout(timeout: Duration) timeout = Some(nanos(timeout));
    /// A response without freshness of its own, but with a `Last-Modified`, is fresh for this part
    /// of its age then, in thousandths: 100 is usual (RFC 9111, section 4.2.2). Comes before
    /// [`timeout`](Self::timeout).
    heuristic(per_mille: u16) heuristic = Some(per_mille.min(1000));
    /// The statuses that may be stored; 200, 203 and 204 if nothing is said. A 206 and a 304 never
    /// are.
    statuses(statuses: impl IntoIterator<Item = StatusCode>)
        statuses = Statuses::Only(statuses.into_iter().collect());
    /// Every final status may be stored whose response says so itself, with a lifetime or with
    /// `public`; and those that HTTP calls cacheable also by [`timeout`](Self::timeout) and
    /// [`heuristic`](Self::heuristic) (200, 203, 204, 300, 301, 308, 404, 405, 410, 414 and 501).
    any_status() statuses = Statuses::Any;
    /// Request headers that select the response, whether or not it names them in `Vary`; they are
    /// added there.
    vary(names: impl IntoIterator<Item = HeaderName>) vary = names.into_iter().collect();
    /// How a request with a `Cookie` is taken.
    cookies(cookies: Credentials) cookies = cookies;
    /// How a request with an `Authorization` is taken.
    authorization(authorization: Credentials) authorization = authorization;
    /// What is done with a response that sets a cookie.
    set_cookie(set_cookie: SetCookie) set_cookie = set_cookie;
    /// All hosts share their responses. A change on one of them is seen on all.
    any_host() host = false;
    /// The longest body that is stored, in bytes; a longer one streams through. 1 MiB if nothing is
    /// said.
    body_limit(bytes: usize) body_limit = bytes;
    /// How many responses are kept for one URL, told apart by `Vary`; 32 if nothing is said. Beyond
    /// that, the one that nobody has asked for the longest time makes room.
    max_variants(variants: usize) variants = variants.max(1);
    /// `Cache-Control` towards the client, for responses that have none and are stored. `no-cache`
    /// if nothing is said: clients keep the response but ask each time, so that an invalidation is
    /// seen at once.
    cache_control(value: HeaderValue) client = Some(value);
    /// Responses without `Cache-Control` leave without one.
    no_cache_control() client = None;
    /// Whether stored responses without an `ETag` are given one, made of their bytes: a strong one.
    etag(etag: bool) etag = etag.then_some(Etag::Strong);
    /// Stored responses without an `ETag` are given a weak one: right inside of a layer that changes
    /// the bytes but not the tag, as compression layers do.
    weak_etag() etag = Some(Etag::Weak);
    /// Whether stored responses with an `ETag` and without a `Last-Modified` are given the time of
    /// storing. Without a tag they are not: a date cannot tell two pages of one second apart.
    last_modified(last_modified: bool) last_modified = last_modified;
    /// How long past its freshness a response is served while it is loaded afresh in the
    /// background, where it does not say so itself (RFC 5861).
    stale_while_revalidate(time: Duration) stale_while_revalidate = nanos(time);
    /// How long past its freshness a response is served when a fresh one cannot be had, where it
    /// does not say so itself (RFC 5861).
    stale_if_error(time: Duration) stale_if_error = nanos(time);
    /// How long after a load that failed the next one of this page is tried, where what is stale may
    /// be served meanwhile: until then it is served at once. One second if nothing is said.
    ///
    /// A client whose request directives are obeyed, and who takes nothing stale, is not held back.
    retry(time: Duration) retry = nanos(time);
    /// Whether clients may ask for a fresh response (`Cache-Control: no-cache`, `max-age=0`, …). Off
    /// by default: it lets them run the handler as often as they like.
    request_directives(obey: bool) obey_requests = obey;
    /// `false`: concurrent misses of one URL each run the handler.
    single_flight(on: bool) single_flight = on;
    /// A response header that takes the place of `Cache-Control` and `Expires` for this cache,
    /// `cdn-cache-control` for instance (RFC 9213). One that is empty, or no dictionary of structured
    /// fields, is left aside.
    targeted(name: HeaderName) targeted = Some(name);
    /// The name under which this cache adds to `Cache-Status` (RFC 9211); `dewar` if nothing is
    /// said. Letters, digits and `-._` are kept, anything else becomes `-`.
    cache_status(name: &str) name = Some(super::status::token(name));
    /// Responses stay in this process' memory, also where the cache has a shared store.
    local() local = true;
    /// `Cache-Status` is left alone.
    no_cache_status() name = None;
}

impl ViewPolicy {
    /// What decides whose response a request is given: processes that disagree about it do not share
    /// their responses.
    #[cfg(feature = "stores")]
    pub(crate) fn stable(&self, out: &mut crate::key::Stable) {
        out.part(|out| {
            for name in &self.vary {
                out.part(|out| out.bytes(name.as_str().as_bytes()));
            }
        });
        let flags = [
            self.cookies as u8,
            self.authorization as u8,
            self.set_cookie as u8,
            u8::from(self.host),
        ];
        out.bytes(&flags);
        self.query.stable(out);
    }

    /// What is known of responses that are not stored.
    #[cfg(feature = "axum")]
    pub(crate) fn unstored(mut self, unstored: Unstored) -> Self {
        self.unstored = unstored;
        self
    }

    /// For clients that say who they are: what they are told is not for everybody (RFC 9111, section
    /// 5.2.2.9).
    #[cfg(feature = "axum")]
    pub(crate) fn never_public(mut self) -> Self {
        self.client = self.client.as_ref().map(never_public);
        self
    }

    /// A query counts the same in whatever order its parameters stand; the values of one parameter
    /// keep theirs.
    #[must_use]
    pub fn sorted_query(mut self) -> Self {
        self.query = self.query.sorted();
        self
    }

    /// Only these parameters of the query count; `*` at the end stands for any rest.
    ///
    /// The handler still sees the others, and must not look at them.
    #[must_use]
    pub fn only_query(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.query = self.query.only(names);
        self
    }

    /// These parameters of the query do not count; `*` at the end stands for any rest.
    #[must_use]
    pub fn ignore_query(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.query = self.query.ignore(names);
        self
    }
}

/// The same `Cache-Control` for one client alone, where a cache on the way may give it to others.
pub(crate) fn never_public(told: &HeaderValue) -> HeaderValue {
    let Ok(text) = told.to_str().map(str::to_ascii_lowercase) else {
        return HeaderValue::from_static("private");
    };
    let directives = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let shared = |it: &&str| *it == "public" || it.starts_with("s-maxage");
    let kept_to_one = |it: &str| matches!(it, "private" | "no-store" | "no-cache");
    if directives.clone().any(kept_to_one) && !directives.clone().any(|it| shared(&it)) {
        return told.clone();
    }
    let rest = directives.filter(|it| !shared(it) && *it != "private");
    let private: Vec<&str> = std::iter::once("private").chain(rest).collect();
    HeaderValue::try_from(private.join(", ")).unwrap_or(HeaderValue::from_static("private"))
}

#[cfg(test)]
mod tests {
    use super::never_public;
    use http::HeaderValue;

    #[test]
    fn what_is_for_one_client_is_kept_by_no_cache_on_the_way() {
        for (told, expected) in [
            ("public, max-age=30", "private, max-age=30"),
            ("Public,,s-maxage=9, no-cache", "private, no-cache"),
            ("private, public", "private"),
            ("max-age=30", "private, max-age=30"),
            ("must-revalidate", "private, must-revalidate"),
            ("", "private"),
            ("no-cache", "no-cache"),
            ("max-age=30, Private", "max-age=30, Private"),
            ("no-store", "no-store"),
        ] {
            let told = HeaderValue::from_static(told);
            assert_eq!(never_public(&told), expected, "{told:?}");
        }
        let odd = HeaderValue::from_bytes(b"max-age=30, \xFF").unwrap();
        assert_eq!(never_public(&odd), "private");
    }
}
