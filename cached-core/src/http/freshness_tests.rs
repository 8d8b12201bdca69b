//! RFC 9111, section 4.2, as tables.

use super::{Timing, initial_age, nanos, of};
use crate::http::ViewPolicy;
use crate::http::control::Control;
use crate::http::date;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::time::Duration;

const NOW: u64 = 1_800_000_000;

const TIMING: Timing = Timing {
    asked: 0,
    received: 0,
    wall: NOW,
};

/// `@n` stands for a date `n` seconds from now.
fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = match value.strip_prefix('@') {
            Some(delta) => {
                let delta: i64 = delta.parse().unwrap();
                date::format(NOW.saturating_add_signed(delta))
            }
            None => HeaderValue::from_str(value).unwrap(),
        };
        headers.append(name, value);
    }
    headers
}

fn lifetime(policy: &ViewPolicy, status: u16, fields: &[(&str, &str)]) -> Option<u64> {
    let headers = headers(fields);
    let status = StatusCode::from_u16(status).unwrap();
    let control = Control::of(&headers);
    of(policy, status, &headers, &control, &TIMING).map(|fresh| fresh.lifetime / nanos(1))
}

type Fields = &'static [(&'static str, &'static str)];

/// Section 4.2.1: which of them wins.
const EXPLICIT: &[(Fields, Option<u64>)] = &[
    (&[], None),
    (&[("cache-control", "max-age=60")], Some(60)),
    (&[("cache-control", "s-maxage=10, max-age=60")], Some(10)),
    (&[("cache-control", "max-age=0, s-maxage=60")], Some(60)),
    (
        &[("cache-control", "max-age=60"), ("expires", "@10")],
        Some(60),
    ),
    (
        &[("cache-control", "max-age=60"), ("expires", "0")],
        Some(60),
    ),
    (
        &[("cache-control", "max-age=0"), ("expires", "@60")],
        Some(0),
    ),
    (&[("expires", "@60")], Some(60)),
    (&[("expires", "@60"), ("date", "@-10")], Some(70)),
    (&[("expires", "@60"), ("date", "@20")], Some(40)),
    (&[("expires", "@60"), ("date", "never")], Some(60)),
    (&[("expires", "@-60")], Some(0)),
    (&[("expires", "@0"), ("date", "@0")], Some(0)),
    (&[("expires", "0")], Some(0)),
    (&[("expires", "@60"), ("expires", "@10")], Some(10)),
    (&[("expires", "@60"), ("expires", "x")], Some(0)),
    (&[("cache-control", "no-cache")], Some(0)),
];

#[test]
fn the_lifetime_is_what_the_response_says() {
    for (fields, expected) in EXPLICIT {
        let found = lifetime(&ViewPolicy::proxy(), 200, fields);
        assert_eq!(found, *expected, "{fields:?}");
    }
}

#[test]
fn the_policy_fills_the_gap_only() {
    let policy = ViewPolicy::new().timeout(Duration::from_secs(30));
    assert_eq!(lifetime(&policy, 200, &[]), Some(30));
    assert_eq!(
        lifetime(&policy, 200, &[("cache-control", "max-age=5")]),
        Some(5)
    );
    assert_eq!(lifetime(&policy, 200, &[("expires", "0")]), Some(0));
    assert_eq!(
        lifetime(&policy.statuses([StatusCode::FOUND]), 302, &[]),
        Some(30)
    );
}

#[test]
fn where_any_status_is_stored_the_policy_speaks_for_those_that_are_cacheable() {
    let policy = ViewPolicy::proxy().timeout(Duration::from_secs(30));
    for status in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
        assert_eq!(lifetime(&policy, status, &[]), Some(30), "{status}");
    }
    let public = [("cache-control", "public")];
    for status in [201, 302, 303, 307, 400, 403, 500, 502, 503, 599] {
        assert_eq!(lifetime(&policy, status, &[]), None, "{status}");
        assert_eq!(lifetime(&policy, status, &public), Some(30), "{status}");
    }
}

#[test]
fn a_part_of_the_age_is_taken_only_where_it_was_asked_for() {
    let policy = ViewPolicy::proxy().heuristic(100);
    let fields = [("last-modified", "@-1000"), ("date", "@0")];
    assert_eq!(lifetime(&ViewPolicy::proxy(), 200, &fields), None);
    assert_eq!(lifetime(&policy, 200, &fields), Some(100));
    assert_eq!(lifetime(&policy, 201, &fields), None);
    assert_eq!(lifetime(&policy, 599, &fields), None);
    let public = [fields[0], fields[1], ("cache-control", "public")];
    assert_eq!(lifetime(&policy, 599, &public), Some(100));
    assert_eq!(lifetime(&policy, 200, &[("last-modified", "@1000")]), None);
}

#[test]
fn the_age_is_the_larger_of_what_is_stated_and_what_appears() {
    let age = |fields: &[(&str, &str)], delay| {
        let timing = Timing {
            received: nanos(delay),
            ..TIMING
        };
        initial_age(&headers(fields), &timing) / nanos(1)
    };
    assert_eq!(age(&[], 0), 0);
    assert_eq!(age(&[], 2), 2);
    assert_eq!(age(&[("age", "30")], 2), 32);
    assert_eq!(age(&[("date", "@-50"), ("age", "30")], 2), 50);
    assert_eq!(age(&[("date", "@50")], 0), 0);
    assert_eq!(age(&[("age", "3,7200")], 0), 3);
}

#[test]
fn an_age_that_cannot_be_read_is_beyond_any_lifetime() {
    for fields in [
        &[("age", "abc")][..],
        &[("age", "-1")],
        &[("age", "1.5")],
        &[("age", "0, 0")],
        &[("age", "0,old")],
        &[("age", "old,0")],
        &[("age", "0"), ("age", "0")],
        &[("age", "0;foo=1")],
        &[("age", "")],
    ] {
        assert!(
            initial_age(&headers(fields), &TIMING) >= nanos(1 << 31),
            "{fields:?}"
        );
    }
}

#[test]
fn what_must_be_revalidated_is_never_served_stale() {
    let policy = ViewPolicy::proxy()
        .stale_if_error(Duration::from_secs(60))
        .stale_while_revalidate(Duration::from_secs(60));
    for (line, stale) in [
        ("max-age=1", 60),
        ("max-age=1, stale-if-error=5, stale-while-revalidate=5", 5),
        ("max-age=1, must-revalidate, stale-if-error=5", 0),
        ("max-age=1, proxy-revalidate", 0),
        ("max-age=1, s-maxage=1", 0),
        ("max-age=1, no-cache", 0),
    ] {
        let headers = headers(&[("cache-control", line)]);
        let control = Control::of(&headers);
        let fresh = of(&policy, StatusCode::OK, &headers, &control, &TIMING).unwrap();
        assert_eq!(fresh.if_error, nanos(stale), "{line}");
        assert_eq!(fresh.while_revalidate, nanos(stale), "{line}");
        assert_eq!(fresh.may_be_stale, stale > 0, "{line}");
    }
}
