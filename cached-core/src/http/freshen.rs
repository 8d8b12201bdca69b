//! What a 304 makes of a stored response (RFC 9111, sections 3.2 and 4.3.4).

use http::header::{AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName};

use super::freshness::{self, Freshness, Timing};
use super::load::Load;
use super::stored::{Stored, detach, keep_places};
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
        received: timing.received,
        date: date.unwrap_or(timing.wall),
        order: began.order,
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

/// Every field of the news replaces those of its name, and new ones are added.
fn merged(old: &HeaderMap, news: &HeaderMap) -> HeaderMap {
    let mut clean = news.clone();
    storing::strip_connection(&mut clean);
    let mut headers = old.clone();
    headers.remove(AGE);
    for name in clean.keys().filter(|name| !OF_THE_BODY.contains(name)) {
        headers.remove(name);
        for value in clean.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::merged;
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
}
