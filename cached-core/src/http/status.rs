//! `Cache-Status`: what this cache did (RFC 9211).

use std::fmt::Write;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Why a request was forwarded to the handler (section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forwarded {
    Bypass,
    Method,
    UriMiss,
    VaryMiss,
    Stale,
    Request,
}

impl Forwarded {
    fn word(self) -> &'static str {
        match self {
            Forwarded::Bypass => "bypass",
            Forwarded::Method => "method",
            Forwarded::UriMiss => "uri-miss",
            Forwarded::VaryMiss => "vary-miss",
            Forwarded::Stale => "stale",
            Forwarded::Request => "request",
        }
    }
}

/// What this cache did with one request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    pub(crate) hit: bool,
    pub(crate) forwarded: Option<Forwarded>,
    pub(crate) status: Option<StatusCode>,
    /// Seconds of freshness left, negative past it.
    pub(crate) ttl: Option<i64>,
    pub(crate) stored: bool,
    pub(crate) collapsed: bool,
}

impl Report {
    pub(crate) fn hit(ttl: i64) -> Self {
        Report {
            hit: true,
            ttl: Some(ttl),
            ..Report::default()
        }
    }

    pub(crate) fn forwarded(why: Forwarded) -> Self {
        Report {
            forwarded: Some(why),
            ..Report::default()
        }
    }

    /// Adds this cache at the end: those nearer to the origin come first (section 2).
    pub(crate) fn append(&self, name: &str, headers: &mut HeaderMap) {
        let Ok(value) = HeaderValue::try_from(self.member(name)) else {
            return;
        };
        match headers.get_mut(CACHE_STATUS) {
            Some(place) if *place == PLACE => *place = value,
            _ => {
                headers.append(CACHE_STATUS, value);
            }
        }
    }

    fn member(&self, name: &str) -> String {
        let mut text = String::with_capacity(48);
        text.push_str(name);
        if self.hit {
            text.push_str("; hit");
        }
        if let Some(forwarded) = self.forwarded {
            text.push_str("; fwd=");
            text.push_str(forwarded.word());
        }
        // Writing to a string cannot fail.
        if let Some(status) = self.status {
            let _ = write!(text, "; fwd-status={}", status.as_u16());
        }
        if let Some(ttl) = self.ttl {
            let _ = write!(text, "; ttl={ttl}");
        }
        if self.stored {
            text.push_str("; stored");
        }
        if self.collapsed {
            text.push_str("; collapsed");
        }
        text
    }
}

/// Stands in stored headers where the report will be: a map that grows with each answer costs more
/// than the rest of it.
const PLACE: HeaderValue = HeaderValue::from_static("-");

/// Keeps a place for a report, where there is none of another cache.
pub(crate) fn keep_place(headers: &mut HeaderMap) {
    if !headers.contains_key(CACHE_STATUS) {
        headers.insert(CACHE_STATUS, PLACE);
    }
}

/// A name as a token of structured fields (RFC 8941, section 3.3.4).
pub(crate) fn token(name: &str) -> Box<str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
    let mut token: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    if !token.starts_with(|c: char| c.is_ascii_alphabetic()) {
        token.insert(0, 'c');
    }
    token.into()
}

#[cfg(test)]
mod tests {
    use super::{Forwarded, Report, keep_place, token};
    use http::{HeaderMap, HeaderValue, StatusCode};

    #[test]
    fn a_report_is_one_member_of_a_structured_list() {
        assert_eq!(Report::hit(30).member("dewar"), "dewar; hit; ttl=30");
        assert_eq!(Report::hit(-3).member("dewar"), "dewar; hit; ttl=-3");
        let forwarded = Report {
            status: Some(StatusCode::NOT_MODIFIED),
            ttl: Some(60),
            stored: true,
            collapsed: true,
            ..Report::forwarded(Forwarded::Stale)
        };
        assert_eq!(
            forwarded.member("dewar"),
            "dewar; fwd=stale; fwd-status=304; ttl=60; stored; collapsed"
        );
    }

    #[test]
    fn it_comes_after_those_that_are_there() {
        let mut headers = HeaderMap::new();
        headers.append("cache-status", HeaderValue::from_static("origin; hit"));
        Report::forwarded(Forwarded::UriMiss).append("dewar", &mut headers);
        let lines: Vec<_> = headers.get_all("cache-status").iter().collect();
        assert_eq!(lines, ["origin; hit", "dewar; fwd=uri-miss"]);
    }

    #[test]
    fn it_takes_the_place_that_was_kept_for_it() {
        let mut headers = HeaderMap::new();
        keep_place(&mut headers);
        Report::hit(1).append("dewar", &mut headers);
        Report::hit(2).append("outer", &mut headers);
        keep_place(&mut headers);
        let lines: Vec<_> = headers.get_all("cache-status").iter().collect();
        assert_eq!(lines, ["dewar; hit; ttl=1", "outer; hit; ttl=2"]);
    }

    #[test]
    fn a_name_is_made_a_token() {
        assert_eq!(&*token("my cache\r\nx: y"), "my-cache--x:-y");
        assert_eq!(&*token(""), "c");
        assert_eq!(&*token("1st"), "c1st");
    }
}
