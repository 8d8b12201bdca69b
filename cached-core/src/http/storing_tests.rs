//! RFC 9111, section 3, as tables.

use super::{Refused, judge, strip};
use crate::http::fields::headers;
use crate::http::freshness::Timing;
use crate::http::{Credentials, SetCookie, ViewPolicy};
use http::{HeaderMap, HeaderName, StatusCode};
use std::time::Duration;

type Fields = &'static [(&'static str, &'static str)];

fn verdict(
    policy: &ViewPolicy,
    asked: Fields,
    status: u16,
    answered: Fields,
) -> Result<(), Refused> {
    verdict_of(policy, asked, status, &headers(answered))
}

fn verdict_of(
    policy: &ViewPolicy,
    asked: Fields,
    status: u16,
    answered: &HeaderMap,
) -> Result<(), Refused> {
    let timing = Timing {
        asked: 0,
        received: 0,
        wall: 1_800_000_000,
    };
    let status = StatusCode::from_u16(status).unwrap();
    judge(policy, &headers(asked), status, answered, &timing).map(drop)
}

const FRESH: (&str, &str) = ("cache-control", "max-age=60");

/// Request, status, response, verdict; with the policy of a proxy.
const PROXY: &[(Fields, u16, Fields, Result<(), Refused>)] = &[
    (&[], 200, &[FRESH], Ok(())),
    (&[], 200, &[], Err(Refused::NoFreshness)),
    (&[], 200, &[("etag", "\"a\"")], Err(Refused::NoFreshness)),
    (&[], 599, &[FRESH], Ok(())),
    (&[], 206, &[FRESH], Err(Refused::Status)),
    (&[], 304, &[FRESH], Err(Refused::Status)),
    // What was asked for is not the whole.
    (&[("range", "bytes=0-1")], 200, &[FRESH], Ok(())),
    (
        &[("range", "bytes=0-1")],
        404,
        &[FRESH],
        Err(Refused::Partial),
    ),
    (
        &[("range", "bytes=0-1")],
        416,
        &[FRESH],
        Err(Refused::Status),
    ),
    (&[], 431, &[FRESH], Err(Refused::Status)),
    (&[], 429, &[FRESH], Err(Refused::Status)),
    (&[], 401, &[FRESH], Err(Refused::Status)),
    // 5.2.2.5, 5.2.1.5
    (
        &[],
        200,
        &[("cache-control", "max-age=60, no-store")],
        Err(Refused::NoStore),
    ),
    (
        &[("cache-control", "no-store")],
        200,
        &[FRESH],
        Err(Refused::NoStore),
    ),
    // 5.2.2.7
    (
        &[],
        200,
        &[("cache-control", "max-age=60, private")],
        Err(Refused::Private),
    ),
    (
        &[],
        200,
        &[("cache-control", "max-age=60, private=\"x\"")],
        Err(Refused::Private),
    ),
    // 3.5
    (
        &[("authorization", "a")],
        200,
        &[FRESH],
        Err(Refused::Credentials),
    ),
    (
        &[("authorization", "a")],
        200,
        &[("cache-control", "public, max-age=60")],
        Ok(()),
    ),
    (
        &[("authorization", "a")],
        200,
        &[("cache-control", "s-maxage=60")],
        Ok(()),
    ),
    (
        &[("authorization", "a")],
        200,
        &[("cache-control", "max-age=60, must-revalidate")],
        Ok(()),
    ),
    (
        &[("cookie", "a=b")],
        200,
        &[FRESH],
        Err(Refused::Credentials),
    ),
    // 5.2.2.3
    (
        &[],
        599,
        &[("cache-control", "max-age=60, must-understand")],
        Err(Refused::Status),
    ),
    (
        &[],
        200,
        &[("cache-control", "max-age=60, must-understand, no-store")],
        Ok(()),
    ),
    // 5.2.2.4: of use only with a validator.
    (
        &[],
        200,
        &[("cache-control", "no-cache")],
        Err(Refused::NoFreshness),
    ),
    (
        &[],
        200,
        &[("cache-control", "no-cache"), ("etag", "\"a\"")],
        Ok(()),
    ),
    (
        &[],
        200,
        &[("cache-control", "max-age=0"), ("last-modified", "x")],
        Ok(()),
    ),
    (
        &[],
        200,
        &[FRESH, ("set-cookie", "a=b")],
        Err(Refused::SetCookie),
    ),
    (&[], 200, &[FRESH, ("vary", "*")], Err(Refused::Vary)),
    (
        &[],
        200,
        &[FRESH, ("content-type", "Text/Event-Stream; charset=utf-8")],
        Err(Refused::Stream),
    ),
    (
        &[],
        200,
        &[FRESH, ("content-type", "application/grpc+proto")],
        Err(Refused::Stream),
    ),
];

#[test]
fn a_response_is_stored_where_everything_allows_it() {
    for (asked, status, answered, expected) in PROXY {
        let found = verdict(&ViewPolicy::proxy(), asked, *status, answered);
        assert_eq!(found, *expected, "{status} {answered:?} to {asked:?}");
    }
}

#[test]
fn by_default_only_success_is_stored() {
    let policy = ViewPolicy::new().timeout(Duration::from_secs(60));
    for (status, expected) in [(200, true), (203, true), (204, true), (201, false)] {
        assert_eq!(
            verdict(&policy, &[], status, &[]).is_ok(),
            expected,
            "{status}"
        );
    }
    for status in [301, 404, 410, 500, 503] {
        assert_eq!(
            verdict(&policy, &[], status, &[FRESH]),
            Err(Refused::Status),
            "{status}"
        );
    }
    let part: Fields = &[FRESH, ("content-range", "bytes 0-1/2")];
    assert_eq!(verdict(&policy, &[], 200, part), Err(Refused::Partial));
    let policy = policy.statuses([StatusCode::NOT_FOUND]);
    assert_eq!(verdict(&policy, &[], 404, &[]), Ok(()));
    assert_eq!(verdict(&policy, &[], 200, &[]), Err(Refused::Status));
}

#[test]
fn credentials_may_be_keyed_or_ignored() {
    let asked: Fields = &[("cookie", "a=b"), ("authorization", "c")];
    for how in [Credentials::Keyed, Credentials::Ignored] {
        let policy = ViewPolicy::proxy().cookies(how);
        assert_eq!(
            verdict(&policy, asked, 200, &[FRESH]),
            Err(Refused::Credentials)
        );
        assert_eq!(
            verdict(&policy.authorization(how), asked, 200, &[FRESH]),
            Ok(())
        );
    }
}

#[test]
fn a_targeted_field_takes_the_place_of_cache_control() {
    let field = HeaderName::from_static("cdn-cache-control");
    let policy = ViewPolicy::proxy().targeted(field);
    let both: Fields = &[
        ("cdn-cache-control", "max-age=60"),
        ("cache-control", "no-store"),
    ];
    assert_eq!(verdict(&policy, &[], 200, both), Ok(()));
    assert_eq!(
        verdict(&ViewPolicy::proxy(), &[], 200, both),
        Err(Refused::NoStore)
    );
    let neither: Fields = &[
        ("cdn-cache-control", "foo"),
        ("expires", "Fri, 01 Jan 2038 01:01:01 GMT"),
    ];
    assert_eq!(
        verdict(&policy, &[], 200, neither),
        Err(Refused::NoFreshness)
    );
}

#[test]
fn a_targeted_field_that_says_nothing_or_is_broken_takes_no_place() {
    let policy = ViewPolicy::proxy().targeted(HeaderName::from_static("cdn-cache-control"));
    for broken in ["", " , ", "max-age=60, &&&&&", "MAX-AGE=60", "max-age=60 s"] {
        let judged = |field: (&'static str, &'static str)| {
            let answered = headers(&[("cdn-cache-control", broken), field]);
            verdict_of(&policy, &[], 200, &answered)
        };
        let private = judged(("cache-control", "private, max-age=60"));
        assert_eq!(private, Err(Refused::Private), "{broken}");
        let fresh = judged(("expires", "Fri, 01 Jan 2038 01:01:01 GMT"));
        assert_eq!(fresh, Ok(()), "{broken}");
    }
}

#[test]
fn fields_of_the_connection_are_not_stored() {
    let mut stored = headers(&[
        ("connection", "a, B"),
        ("a", "1"),
        ("b", "2"),
        ("c", "3"),
        ("keep-alive", "x"),
        ("transfer-encoding", "chunked"),
        ("age", "5"),
        ("set-cookie", "a=b"),
        ("etag", "\"a\""),
    ]);
    strip(&ViewPolicy::new(), &mut stored);
    let mut left: Vec<_> = stored.keys().map(HeaderName::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, ["c", "etag"]);
    let mut stored = headers(&[("set-cookie", "a=b")]);
    strip(&ViewPolicy::new().set_cookie(SetCookie::Kept), &mut stored);
    assert_eq!(stored.len(), 1);
}
