//! Which URL a request is for: as a key, and as something to invalidate.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, Uri, request};

use super::query::in_order;
use crate::key::Part;
use crate::scope::{Scope, of_path, of_url};

/// Longer ones are not cached.
const LONGEST: usize = 8 * 1024;

/// The URL that a request is for, as the client sent it. Routers that strip a part of the path keep
/// the whole in the request's extensions.
pub(crate) fn of(request: &request::Parts) -> &Uri {
    if let Some(OriginalUri(uri)) = request.extensions.get() {
        return uri;
    }
    #[cfg(feature = "axum")]
    if let Some(axum::extract::OriginalUri(uri)) = request.extensions.get() {
        return uri;
    }
    &request.uri
}

/// The URL as the client sent it, for routers that hand a shortened one to the services inside.
///
/// A router that does so puts this into the request's extensions, so that a
/// [`CacheLayer`](super::CacheLayer) inside tells apart what the router has made look alike. That
/// of axum is known with the feature `axum`.
#[derive(Clone, Debug)]
pub struct OriginalUri(pub Uri);

/// The scheme, as far as it is known, and the host, in lower case; empty if the request names none.
///
/// None for a request that names two: the handler may look at the other.
pub(crate) fn origin<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<Cow<'a, str>> {
    let mut lines = headers.get_all(HOST).iter();
    let host = match (lines.next(), lines.next()) {
        (None, _) => None,
        (Some(host), None) => Some(lower(host.to_str().ok()?)),
        _ => return None,
    };
    let authority = uri.authority().map(|it| lower(it.as_str()));
    let name = match (host, authority) {
        (Some(host), Some(authority)) if host != authority => return None,
        (host, authority) => host.or(authority).unwrap_or_default(),
    };
    if name.contains('@') {
        return None;
    }
    Some(match uri.scheme_str() {
        Some(scheme) => Cow::Owned(format!("{scheme}://{name}")),
        None => name,
    })
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// The host of an origin, without its scheme.
pub(crate) fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Whether a URL is of a size that is cached.
pub(crate) fn fits(uri: &Uri) -> bool {
    let length = uri.path_and_query().map_or(0, |it| it.as_str().len());
    (1..=LONGEST).contains(&length)
}

/// What is cached under one URL, borrowed from a request.
pub(crate) struct Target<'a> {
    pub(crate) view: usize,
    pub(crate) origin: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: Option<Cow<'a, str>>,
}

/// The same, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnedTarget {
    view: usize,
    origin: Box<str>,
    path: Box<str>,
    query: Option<Box<str>>,
}

impl Part for Target<'_> {
    type Owned = OwnedTarget;

    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let all = (self.view, self.origin, self.path, self.query.as_deref());
        Hash::hash(&all, hasher);
    }

    fn matches(&self, owned: &OwnedTarget) -> bool {
        self.view == owned.view
            && self.path == &*owned.path
            && self.query.as_deref() == owned.query.as_deref()
            && self.origin == &*owned.origin
    }

    fn own(&self) -> OwnedTarget {
        OwnedTarget {
            view: self.view,
            origin: self.origin.into(),
            path: self.path.into(),
            query: self.query.as_deref().map(Into::into),
        }
    }

    fn heap(owned: &OwnedTarget) -> usize {
        let query = owned.query.as_ref().map_or(0, |query| query.len());
        owned.origin.len() + owned.path.len() + query
    }
}

/// The scopes of a URL: of it on its host, of it on any host, and of its path with any query.
pub(crate) fn scopes(host: &str, path: &str, query: Option<&str>) -> [Scope; 3] {
    let (path, query) = (normal(path), query.map(|query| in_order(&normal(query))));
    [
        of_url(Some(host), &path, query.as_deref()),
        of_url(None, &path, query.as_deref()),
        of_path(&path),
    ]
}

/// The scope of a URL on one host, or on any.
pub(crate) fn scope(host: Option<&str>, path: &str, query: Option<&str>) -> Scope {
    let query = query.map(|query| in_order(&normal(query)));
    of_url(host, &normal(path), query.as_deref())
}

/// One spelling for all that mean the same (RFC 3986, section 6.2.2): `%7e` is `~`, `%2f` is `%2F`.
pub(crate) fn normal(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let hex = rest.get(at + 1..at + 3);
        let byte = hex
            .filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
            }
            Some(byte) => out.push_str(&format!("%{byte:02X}")),
            None => {
                // It stands for itself, and must not come to stand before digits.
                out.push_str("%25");
                rest = &rest[at + 1..];
                continue;
            }
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What a `Location` or `Content-Location` in a response to a request for `base` points to, if that
/// is on the same host (RFC 9111, section 4.4).
pub(crate) fn resolve(host: &str, base: &Uri, reference: &str) -> Option<PathAndQuery> {
    let reference = reference.split('#').next().unwrap_or_default().trim();
    let after_scheme = ["http://", "https://", "//"]
        .iter()
        .find_map(|start| strip_ignoring_case(reference, start));
    if let Some(rest) = after_scheme {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !authority.eq_ignore_ascii_case(host) {
            return None;
        }
        return parse(&if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        });
    }
    if reference.starts_with('/') {
        return parse(reference);
    }
    if reference.starts_with('?') {
        return parse(&format!("{}{reference}", base.path()));
    }
    if reference.is_empty() || has_scheme(reference) {
        return None;
    }
    let folder = base.path().rfind('/').map_or("", |at| &base.path()[..at]);
    parse(&format!("{folder}/{reference}"))
}

fn strip_ignoring_case<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start)
        .then(|| &text[start.len()..])
}

fn has_scheme(reference: &str) -> bool {
    let first = reference.split(['/', '?']).next().unwrap_or_default();
    first.contains(':')
}

/// A path and query, without `.` and `..`.
fn parse(text: &str) -> Option<PathAndQuery> {
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let mut segments: Vec<&str> = Vec::new();
    let mut open = false;
    for segment in path.split('/').skip(1) {
        open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let end = if open && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    let path = format!("/{}{end}", segments.join("/"));
    let whole = query.map_or(path.clone(), |query| format!("{path}?{query}"));
    whole.try_into().ok()
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
