//! Which URL a request is for: as a key, and as something to invalidate.

use std::borrow::Cow;
use std::fmt::{Display, Write};
use std::hash::{Hash, Hasher};

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri, request};

use super::query::{QueryRule, in_order};
use crate::key::{Part, Stable};
use crate::scope::{Scope, of_path, of_url};

/// Longer ones are not cached.
const LONGEST: usize = 8 * 1024;
/// Names of scopes that are longer go by their digest.
const LONGEST_NAME: usize = 256;

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

/// What routers and middleware have made of a URL, as part of a key: where the handler is given
/// another one than the client sent, that one counts too.
pub(crate) type Seen = (Option<String>, String, Option<String>);

/// The URL that the handler is given, where it is another one.
pub(crate) fn seen(uri: &Uri, rule: &QueryRule) -> Seen {
    let authority = uri.authority().map(|it| it.as_str().to_owned());
    let query = rule.apply(uri.query()).map(Cow::into_owned);
    (authority, uri.path().to_owned(), query)
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
/// None for a request that names two, as the handler may look at the other, or one that is none.
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
    if !is_host(&name) {
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

/// Whether a host may be written so, with its port (RFC 3986, section 3.2.2). No user is named beside it
/// (RFC 9110, section 4.2.4).
fn is_host(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%:[]".contains(&byte);
    text.bytes().all(is_plain)
}

/// How many hosts one request may name.
const MOST_HOSTS: usize = 4;

/// Where a request may have changed something: on each host that it names, also where no page is stored
/// for such a request, and on any if it names none. One that cannot be leaves what all hosts share.
pub(crate) fn changed_on(uri: &Uri, headers: &HeaderMap) -> Vec<Option<String>> {
    let authority = uri.authority().map(|it| it.as_str().as_bytes());
    let lines = headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
    let named = authority.into_iter().chain(lines);
    let mut named = named
        .filter(|it| !it.is_empty())
        .take(MOST_HOSTS)
        .peekable();
    if named.peek().is_none() {
        return vec![None];
    }
    let texts = named.filter_map(|name| std::str::from_utf8(name).ok());
    let hosts = texts.filter(|text| is_host(text));
    let mut hosts: Vec<_> = hosts.map(|host| Some(host.to_ascii_lowercase())).collect();
    hosts.dedup();
    if hosts.is_empty() {
        hosts.push(Some(ALL_HOSTS.to_owned()));
    }
    hosts
}

/// The host of an origin, without its scheme.
pub(crate) fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// A host without the port that goes without saying. Which scheme the client used, nobody may know:
/// both have one.
fn without_usual_port(host: &str) -> &str {
    let usual = [":80", ":443", ":"].iter();
    let mut rests = usual.filter_map(|port| host.strip_suffix(port));
    rests.next().unwrap_or(host)
}

/// Whether a URL is of a size that is cached.
pub(crate) fn fits(uri: &Uri) -> bool {
    let length = uri.path_and_query().map_or(0, |it| it.as_str().len());
    (1..=LONGEST).contains(&length)
}

/// Stands for the host of pages that all hosts share: whoever asked for one first, it is that of any.
/// No host is written so.
pub(crate) const ALL_HOSTS: &str = "<all>";
/// Stands for any host, in the names of what is to be found on each. No host is written so either.
const ANY_HOST: &str = "<any>";

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

    /// Without the number of the view, which is this process' own.
    fn stable(&self, out: &mut Stable) {
        out.part(|out| out.bytes(self.origin.as_bytes()));
        out.part(|out| out.bytes(self.path.as_bytes()));
        if let Some(query) = &self.query {
            out.part(|out| out.bytes(query.as_bytes()));
        }
    }

    fn heap(owned: &OwnedTarget) -> usize {
        let query = owned.query.as_ref().map_or(0, |query| query.len());
        owned.origin.len() + owned.path.len() + query
    }
}

/// What the scopes of a URL are called, in every process.
#[derive(Debug)]
pub(crate) struct UrlNames {
    pub(crate) on_host: String,
    pub(crate) on_any: String,
    pub(crate) path: String,
}

impl UrlNames {
    pub(crate) fn of(host: &str, path: &str, query: Option<&str>) -> Self {
        UrlNames {
            on_host: name(Some(host), path, query),
            on_any: name(None, path, query),
            path: path_name(path),
        }
    }

    pub(crate) fn scopes(&self) -> [Scope; 3] {
        [
            of_url(&self.on_host),
            of_url(&self.on_any),
            of_path(&self.path),
        ]
    }
}

/// What the scope of a URL is called, on one host or on any.
pub(crate) fn name(host: Option<&str>, path: &str, query: Option<&str>) -> String {
    // A path begins with a slash and neither it nor a query has spaces: no host reaches into them.
    let (host, path) = (host.map_or(ANY_HOST, without_usual_port), normal(path));
    let text = match query {
        Some(query) => format!("{host} {path}?{}", in_order(&normal_query(query))),
        None => format!("{host} {path}"),
    };
    short(text)
}

/// What a URL to be invalidated is called: on a host, that is on this one and where all hosts share
/// their pages.
pub(crate) fn names(
    host: Option<&str>,
    path: &str,
    query: Option<&str>,
) -> impl Iterator<Item = String> {
    let shared = host.map(|_| name(Some(ALL_HOSTS), path, query));
    std::iter::once(name(host, path, query)).chain(shared)
}

/// What the scope of a path is called.
pub(crate) fn path_name(path: &str) -> String {
    short(normal(path).into_owned())
}

/// A long name by its digest, so that it fits into a message.
fn short(name: String) -> String {
    match name.len() <= LONGEST_NAME {
        true => name,
        false => format!("#{}", blake3::hash(name.as_bytes()).to_hex()),
    }
}

/// One spelling of a path for all that mean the same (RFC 3986, section 6.2.2): `%7e` is `~`, `%2f` is
/// `%2F`. What separates nothing in a path is not told from its escape either: what is invalidated
/// too much is loaded once more, what is invalidated too little stays.
pub(crate) fn normal(path: &str) -> Cow<'_, str> {
    spelled(path, b"-._~!$&'()*+,;=:@", b"/")
}

/// The same of a query, where `&`, `=` and `%2B` mean something, and `+` is a space.
fn normal_query(query: &str) -> Cow<'_, str> {
    let plain = b"-._~!$'()*,;:@/?";
    match query.contains('+') {
        true => Cow::Owned(spelled(&query.replace('+', "%20"), plain, b"&=").into_owned()),
        false => spelled(query, plain, b"&="),
    }
}

/// Letters, digits and `plain` as they are, and what separates; everything else escaped.
fn spelled<'a>(text: &'a str, plain: &[u8], separators: &[u8]) -> Cow<'a, str> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || plain.contains(byte);
    let stays = |byte: &u8| is_plain(byte) || separators.contains(byte);
    if text.as_bytes().iter().all(stays) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match (digits.and_then(hex), byte) {
            (Some(byte), _) if is_plain(&byte) => {
                out.push(char::from(byte));
                at += 2;
            }
            (Some(byte), _) => {
                escape(byte, &mut out);
                at += 2;
            }
            // It stands for itself, and must not come to stand before digits.
            (None, b'%') => out.push_str("%25"),
            (None, byte) if stays(byte) => out.push(char::from(*byte)),
            (None, byte) => escape(*byte, &mut out),
        }
        at += 1;
    }
    Cow::Owned(out)
}

/// The byte that two digits after a percent sign stand for.
pub(crate) fn hex(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    let all = digits.iter().all(u8::is_ascii_hexdigit);
    all.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}

fn escape(byte: u8, out: &mut String) {
    // Writing to a text cannot fail.
    let _ = write!(out, "%{byte:02X}");
}

/// A URL in the making: what `invalidate!(url = "/products/{id}")` writes.
///
/// Text given by the programmer is taken as it is, values are escaped.
#[doc(hidden)]
#[derive(Default, Debug)]
pub struct UrlText(String);

impl UrlText {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends text as it is.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.push_str(text);
        self
    }

    /// Appends a value, escaped: it stays within its segment or parameter.
    #[must_use]
    pub fn value(mut self, value: impl Display) -> Self {
        for byte in value.to_string().bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                escape(byte, &mut self.0);
            }
        }
        self
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a `Location` or `Content-Location` in a response to a request for `base` points to, if that
/// is on the same host (RFC 9111, section 4.4).
pub(crate) fn resolve(host: &str, base: &Uri, reference: &[u8]) -> Option<PathAndQuery> {
    let reference = reference.split(|byte| *byte == b'#').next()?;
    let reference = &*escaped(reference.trim_ascii());
    let after_scheme = ["http://", "https://", "//"]
        .iter()
        .find_map(|start| strip_ignoring_case(reference, start));
    if let Some(rest) = after_scheme {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (authority, host) = (without_usual_port(authority), without_usual_port(host));
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

/// A reference as a URL may be written: handlers put names into it as they are.
fn escaped(reference: &[u8]) -> String {
    let mut out = String::with_capacity(reference.len());
    for byte in reference {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                escape(*byte, &mut out)
            }
            b'!'..=b'~' => out.push(char::from(*byte)),
            byte => escape(*byte, &mut out),
        }
    }
    out
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
