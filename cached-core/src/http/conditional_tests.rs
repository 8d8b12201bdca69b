//! RFC 9110, section 13, as tables.

use super::{Conditions, Tag, is_for_handler, is_not_modified};
use crate::http::fields::headers;

const EARLY: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATE: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
const OLD_FORM: &str = "Sunday, 06-Nov-94 08:49:37 GMT";

type Fields = &'static [(&'static str, &'static str)];

/// What is stored, what the client asks, and whether a 304 is right.
const TABLE: &[(Fields, Fields, bool)] = &[
    // 13.1.2: weak comparison, lists, several lines, `*`.
    (&[("etag", "\"a\"")], &[("if-none-match", "\"a\"")], true),
    (&[("etag", "\"a\"")], &[("if-none-match", "\"b\"")], false),
    (&[("etag", "W/\"a\"")], &[("if-none-match", "\"a\"")], true),
    (&[("etag", "\"a\"")], &[("if-none-match", "W/\"a\"")], true),
    (
        &[("etag", "\"a\"")],
        &[("if-none-match", "\"b\", \"a\"")],
        true,
    ),
    (
        &[("etag", "\"a,b\"")],
        &[("if-none-match", "\"a,b\"")],
        true,
    ),
    (
        &[("etag", "\"a\"")],
        &[("if-none-match", "\"b\""), ("if-none-match", "\"a\"")],
        true,
    ),
    (&[("etag", "\"a\"")], &[("if-none-match", "*")], true),
    (&[], &[("if-none-match", "*")], true),
    (
        &[("etag", "\"a\"")],
        &[("if-none-match", "*, \"b\"")],
        false,
    ),
    // What is no entity tag matches nothing.
    (&[("etag", "a")], &[("if-none-match", "a")], false),
    (&[("etag", "\"a\"")], &[("if-none-match", "a")], false),
    (&[("etag", "\"a\"")], &[("if-none-match", "w/\"a\"")], false),
    (&[("etag", "\"a\"")], &[("if-none-match", "")], false),
    (&[], &[("if-none-match", "\"a\"")], false),
    // 13.1.3: dates, in every form; not later than.
    (
        &[("last-modified", EARLY)],
        &[("if-modified-since", EARLY)],
        true,
    ),
    (
        &[("last-modified", EARLY)],
        &[("if-modified-since", LATE)],
        true,
    ),
    (
        &[("last-modified", LATE)],
        &[("if-modified-since", EARLY)],
        false,
    ),
    (
        &[("last-modified", EARLY)],
        &[("if-modified-since", OLD_FORM)],
        true,
    ),
    (
        &[("last-modified", EARLY)],
        &[("if-modified-since", "yesterday")],
        false,
    ),
    (
        &[("last-modified", "then")],
        &[("if-modified-since", LATE)],
        false,
    ),
    (
        &[("last-modified", EARLY)],
        &[("if-modified-since", LATE), ("if-modified-since", LATE)],
        false,
    ),
    // 9111, 4.3.2: `Date` stands in for `Last-Modified`.
    (&[("date", EARLY)], &[("if-modified-since", EARLY)], true),
    (&[("date", LATE)], &[("if-modified-since", EARLY)], false),
    (&[], &[("if-modified-since", LATE)], false),
    // 13.2.2: `If-None-Match` comes first.
    (
        &[("etag", "\"a\""), ("last-modified", EARLY)],
        &[("if-none-match", "\"b\""), ("if-modified-since", LATE)],
        false,
    ),
    (
        &[("etag", "\"a\""), ("last-modified", LATE)],
        &[("if-none-match", "\"a\""), ("if-modified-since", EARLY)],
        true,
    ),
    (&[("etag", "\"a\"")], &[], false),
];

#[test]
fn a_304_is_sent_where_the_client_has_what_is_stored() {
    for (stored, asked, expected) in TABLE {
        let found = is_not_modified(&headers(asked), &headers(stored));
        assert_eq!(found, *expected, "{asked:?} of {stored:?}");
    }
}

#[test]
fn strong_comparison_takes_no_weak_tag() {
    let tag = |text: &'static str| Tag::parse(text.as_bytes()).unwrap();
    assert!(tag("\"a\"").is_same(tag("\"a\"")));
    assert!(!tag("W/\"a\"").is_same(tag("W/\"a\"")));
    assert!(!tag("W/\"a\"").is_same(tag("\"a\"")));
    assert!(tag("\"\"").is_same(tag("\"\"")));
}

#[test]
fn what_is_no_tag_is_refused() {
    for text in [
        "", "\"", "a", "\"a", "a\"", "W\"a\"", "W/a", "\"a b\"", "\"a\"b\"", "W\\\"a\"",
    ] {
        assert_eq!(Tag::parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn conditions_on_the_state_are_for_the_handler() {
    assert!(is_for_handler(&headers(&[("if-match", "\"a\"")])));
    assert!(is_for_handler(&headers(&[("if-unmodified-since", EARLY)])));
    assert!(!is_for_handler(&headers(&[("if-none-match", "\"a\"")])));
}

#[test]
fn a_304_confirms_what_it_names_and_what_it_does_not_speak_of() {
    let table: &[(Fields, Fields, bool)] = &[
        // RFC 9111, 4.3.4: a strong tag is that very response's.
        (&[("etag", "\"a\"")], &[("etag", "\"a\"")], true),
        (&[("etag", "\"a\"")], &[("etag", "\"b\"")], false),
        (&[("last-modified", EARLY)], &[("etag", "\"a\"")], false),
        (
            &[("etag", "\"a\""), ("last-modified", EARLY)],
            &[("etag", "\"b\""), ("last-modified", EARLY)],
            false,
        ),
        (
            &[("etag", "\"a\"")],
            &[("etag", "\"a\""), ("etag", "\"b\"")],
            false,
        ),
        // Weakened on the way there, or on the way back.
        (&[("etag", "W/\"a\"")], &[("etag", "\"a\"")], true),
        (&[("etag", "\"a\"")], &[("etag", "W/\"a\"")], true),
        (&[("etag", "W/\"a\"")], &[("etag", "W/\"b\"")], false),
        // No tags, but the same.
        (&[("etag", "a")], &[("etag", "a")], true),
        (&[("etag", "a")], &[("etag", "b")], false),
        // Where the tag is the same, a new date is news.
        (
            &[("etag", "\"a\""), ("last-modified", EARLY)],
            &[("etag", "\"a\""), ("last-modified", LATE)],
            true,
        ),
        (
            &[("last-modified", EARLY)],
            &[("last-modified", EARLY)],
            true,
        ),
        (
            &[("last-modified", EARLY)],
            &[("last-modified", LATE)],
            false,
        ),
        (&[("etag", "\"a\"")], &[("last-modified", EARLY)], true),
        // Without a validator it is about the one that was asked for.
        (&[("etag", "\"a\"")], &[], true),
        (&[("last-modified", EARLY)], &[], true),
    ];
    for (stored, news, expected) in table {
        let found = Conditions::of(&headers(stored)).are_confirmed_by(&headers(news));
        assert_eq!(found, *expected, "{news:?} of {stored:?}");
    }
}
