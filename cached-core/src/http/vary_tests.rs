//! RFC 9111, section 4.1, as tables.

use super::{Selecting, names};
use crate::http::fields::headers;
use http::HeaderName;

#[test]
fn a_star_anywhere_never_matches() {
    for lines in [&["*"][..], &["*, *"], &["", "*"], &["foo, *"], &["*, foo"]] {
        let fields: Vec<_> = lines.iter().map(|line| ("vary", *line)).collect();
        assert_eq!(names(&headers(&fields), &[]), None, "{lines:?}");
    }
}

#[test]
fn what_is_no_field_name_never_matches() {
    assert_eq!(names(&headers(&[("vary", "a b")]), &[]), None);
    assert_eq!(names(&headers(&[("vary", "\"a\"")]), &[]), None);
}

#[test]
fn names_are_collected_over_lines_and_the_policy() {
    let found = names(
        &headers(&[("vary", "Foo, bar"), ("vary", "foo")]),
        &[HeaderName::from_static("baz")],
    );
    let found: Vec<_> = found.into_iter().flatten().collect();
    assert_eq!(found, ["bar", "baz", "foo"]);
}

type Fields = &'static [(&'static str, &'static str)];

/// The first request's fields, the second's, and whether the second may have the first's response.
const MATCHES: &[(Fields, Fields, bool)] = &[
    (&[("foo", "1")], &[("foo", "1")], true),
    (&[("foo", "1")], &[("foo", "2")], false),
    (&[("foo", "1")], &[], false),
    (&[], &[("foo", "1")], false),
    (&[], &[("foo", "")], false),
    (&[], &[], true),
    (&[("foo", "")], &[("foo", "")], true),
    (&[("foo", "a"), ("foo", "b")], &[("foo", "a, b")], true),
    (&[("foo", "a"), ("foo", "b")], &[("foo", "a,b")], false),
    (&[("foo", "a,b")], &[("foo", "a ,  b")], false),
    (&[("foo", "a")], &[("foo", "a,")], false),
    (&[("foo", "a")], &[("foo", "a"), ("foo", "")], false),
    (&[("accept", "a,b")], &[("accept", "a , , b")], true),
    (&[("accept", "a, b")], &[("accept", "b, a")], false),
    (
        &[("accept", "a/b; c=\"d\"")],
        &[("accept", "a/b; c=\"D\"")],
        false,
    ),
    (&[("foo", "a, b")], &[("foo", "b, a")], false),
    (&[("foo", "a")], &[("foo", "A")], false),
    (&[("foo", "a"), ("foo", "b")], &[("foo", "a")], false),
    (&[("other", "1")], &[("other", "2")], true),
    (
        &[("accept-language", "en, DE;q=0.5")],
        &[("accept-language", "EN,,de ; q=0.5")],
        true,
    ),
    (
        &[("accept-language", "en, de")],
        &[("accept-language", "de, en")],
        false,
    ),
    (
        &[("accept-language", "de")],
        &[("accept-language", "d e")],
        false,
    ),
    (
        &[("accept-language", "de;q=0.5")],
        &[("accept-language", "de;q= 0.5")],
        false,
    ),
    (
        &[("accept-language", "en, de;q=0.5")],
        &[("accept-language", "de, en;q=0.5")],
        false,
    ),
    (
        &[("accept-encoding", "gzip, br")],
        &[("accept-encoding", "br, gzip")],
        true,
    ),
];

#[test]
fn a_variant_is_selected_by_all_lines_of_its_fields() {
    let vary = headers(&[("vary", "foo, accept, accept-language, accept-encoding")]);
    for (stored, asked, expected) in MATCHES {
        let names = names(&vary, &[]).unwrap();
        let selecting = Selecting::of(&headers(stored), names);
        let found = selecting.matches(&headers(asked));
        assert_eq!(found, *expected, "{stored:?} for {asked:?}");
    }
}

#[test]
fn what_a_request_can_say_at_once_meets() {
    let of = |fields: &[(&'static str, &'static str)]| {
        let request = headers(fields);
        Selecting::of(&request, request.keys().cloned().collect())
    };
    let [de, en] = ["de", "en"].map(|it| ("accept-language", it));
    let [gzip, br] = ["gzip", "br"].map(|it| ("accept-encoding", it));
    for (meant, stored, expected) in [
        (&[][..], &[][..], true),
        (&[], &[de], true),
        (&[de], &[], true),
        (&[de], &[de], true),
        (&[de], &[en], false),
        (&[de], &[de, gzip], true),
        (&[de, gzip], &[de], true),
        (&[de, gzip], &[en], false),
        (&[de, gzip], &[de, br], false),
        (&[de], &[gzip], true),
    ] {
        let (meant, stored) = (of(meant), of(stored));
        assert_eq!(meant.meets(&stored), expected, "{meant:?} {stored:?}");
        assert_eq!(stored.meets(&meant), expected, "{stored:?} {meant:?}");
    }
    let absent = Selecting::of(&headers(&[]), vec![http::header::ACCEPT_LANGUAGE]);
    assert!(!absent.meets(&of(&[de])) && absent.meets(&of(&[gzip])));
    assert!(of(&[de, gzip]).of_the_page().meets(&of(&[de, br])));
}
