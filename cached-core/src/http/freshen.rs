//! What a 304 makes of a stored response (RFC 9111, sections 3.2 and 4.3.4).

use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, TRANSFER_ENCODING, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::freshness::{self, Freshness, Timing};
use super::list::members;
use super::load::Load;
use super::stored::{Retry, Stored, Used, detach, keep_places};
use super::storing::{self, strip};
use super::{date, storing::judge};
use crate::engine::Began;

/// Fields that say something of the stored bytes: a response without them cannot change it.
const OF_THE_BODY: [HeaderName; 6] = [
    CONTENT_LENGTH,
    CONTENT_ENCODING,
    CONTENT_RANGE,
    TRANSFER_ENCODING,
    HeaderName::from_static("content-md5"),
    ETAG,
];

/// What becomes of a stored response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Stays,
    /// This request is not one to store anything for; for others nothing has changed.
    Untouched,
    /// It must not be kept any longer.
    Goes,
}

/// The stored response with the fields of a 304, and what becomes of the one that is stored.
pub(crate) fn freshen(
    load: &Load,
    old: &Stored,
    news: &HeaderMap,
    began: Began,
    timing: &Timing,
) -> (Stored, Fate) {
    let policy = &load.view.policy;
    let mut headers = merged(&old.headers, news);
    let age = news.get(AGE).cloned();
    if let Some(age) = age {
        headers.insert(AGE, age);
    }
    if !news.contains_key(http::header::DATE) {
        headers.insert(http::header::DATE, date::format(timing.wall));
    }
    let request = &load.asked.headers;
    let judged = judge(policy, request, old.status, &headers, timing);
    let for_others = || judge(policy, &HeaderMap::new(), old.status, &headers, timing);
    let fate = match &judged {
        Ok(_) => Fate::Stays,
        Err(_) if for_others().is_ok() => Fate::Untouched,
        Err(_) => Fate::Goes,
    };
    let initial_age = freshness::initial_age(&headers, timing);
    strip(policy, &mut headers);
    detach(&mut headers);
    keep_places(&load.view, &mut headers);
    let (freshness, selecting) = match judged {
        Ok(storable) => (storable.freshness, storable.selecting),
        Err(_) => (spent(old.freshness), old.selecting.clone()),
    };
    let date = headers.get(http::header::DATE).and_then(date::parse);
    let new = Stored {
        status: old.status,
        headers,
        body: old.body.clone(),
        selecting,
        freshness,
        initial_age,
        made_stale: freshness.lifetime <= initial_age,
        received: timing.received,
        date: date.unwrap_or(timing.wall),
        order: began.order,
        used: Used::at(timing.received),
        retry: Retry::default(),
    };
    (new, fate)
}

fn spent(freshness: Freshness) -> Freshness {
    Freshness {
        lifetime: 0,
        shared: false,
        ..freshness
    }
}

/// How many fields may select a response after all news of it; what varies by more is kept no longer.
const MOST_SELECTING: usize = 64;

/// Every field of the news replaces those of its name, and new ones are added. `Vary` is added to: the
/// stored bytes depend on what it named when they came, whatever a layer in front of the handler says
/// in its own.
fn merged(old: &HeaderMap, news: &HeaderMap) -> HeaderMap {
    let mut clean = news.clone();
    storing::strip_connection(&mut clean);
    let mut headers = old.clone();
    headers.remove(AGE);
    add_selecting(&mut headers, &clean);
    let replaced = |name: &&HeaderName| **name != VARY && !OF_THE_BODY.contains(name);
    for name in clean.keys().filter(replaced) {
        headers.remove(name);
        for value in clean.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

fn add_selecting(headers: &mut HeaderMap, news: &HeaderMap) {
    for member in members(news, VARY) {
        let covers = |known: &[u8]| known == b"*" || known.eq_ignore_ascii_case(member);
        if members(headers, VARY).any(covers) {
            continue;
        }
        let few = members(headers, VARY).count() < MOST_SELECTING;
        let member = HeaderValue::from_bytes(member).ok().filter(|_| few);
        headers.append(VARY, member.unwrap_or(HeaderValue::from_static("*")));
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_SELECTING, merged};
    use crate::http::list::members;
    use http::header::VARY;
    use http::{HeaderMap, HeaderValue};

    fn vary(headers: &HeaderMap) -> Vec<&[u8]> {
        members(headers, VARY).collect()
    }

    use crate::http::fields::headers;

    #[test]
    fn fields_are_replaced_and_added_but_for_those_of_the_body() {
        let old = headers(&[
            ("a", "1"),
            ("a", "2"),
            ("b", "1"),
            ("content-encoding", "gzip"),
            ("etag", "\"x\""),
        ]);
        let news = headers(&[
            ("a", "3"),
            ("c", "1"),
            ("content-encoding", "br"),
            ("content-length", "0"),
            ("etag", "\"y\""),
            ("connection", "c"),
        ]);
        let expected = headers(&[
            ("a", "3"),
            ("b", "1"),
            ("content-encoding", "gzip"),
            ("etag", "\"x\""),
        ]);
        assert_eq!(merged(&old, &news), expected);
    }

    #[test]
    fn what_a_response_varies_by_is_added_to() {
        let old = headers(&[("vary", "Accept-Language, a"), ("vary", "b")]);
        type Lines = &'static [(&'static str, &'static str)];
        let all: [(Lines, &[&str]); 4] = [
            (&[], &["Accept-Language", "a", "b"]),
            (&[("vary", "B")], &["Accept-Language", "a", "b"]),
            (
                &[("vary", "c, accept-language"), ("vary", "d, C")],
                &["Accept-Language", "a", "b", "c", "d"],
            ),
            (&[("vary", "*")], &["Accept-Language", "a", "b", "*"]),
        ];
        for (news, expected) in all {
            let new = merged(&old, &headers(news));
            let expected: Vec<&[u8]> = expected.iter().map(|it| it.as_bytes()).collect();
            assert_eq!(vary(&new), expected, "{news:?}");
        }
    }

    #[test]
    fn news_without_end_leave_a_response_that_nobody_is_given() {
        let mut stored = headers(&[("vary", "a")]);
        for n in 0..1000 {
            let mut news = HeaderMap::new();
            news.insert(VARY, HeaderValue::try_from(format!("x-{n}")).unwrap());
            stored = merged(&stored, &news);
        }
        assert_eq!(vary(&stored).len(), MOST_SELECTING + 1);
        assert_eq!(vary(&stored).last(), Some(&&b"*"[..]));
    }
}
