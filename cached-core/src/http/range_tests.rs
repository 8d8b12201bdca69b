//! RFC 9110, section 14, as tables.

use super::{Range, content_range, of, parse, unsatisfied};
use crate::http::fields::headers;
use http::HeaderMap;

const fn part(first: usize, last: usize) -> Range {
    Range::Part { first, last }
}

#[test]
fn one_range_of_bytes_is_understood() {
    for (range, length, expected) in [
        ("bytes=0-0", 10, part(0, 0)),
        ("bytes=0-4", 10, part(0, 4)),
        ("bytes=4-99", 10, part(4, 9)),
        ("bytes=4-", 10, part(4, 9)),
        ("bytes=-3", 10, part(7, 9)),
        ("bytes=-99", 10, part(0, 9)),
        ("BYTES=0-4", 10, part(0, 4)),
        ("bytes= 0-4 ", 10, part(0, 4)),
        ("bytes=9-", 10, part(9, 9)),
        ("bytes=10-", 10, Range::Unsatisfiable),
        ("bytes=99-100", 10, Range::Unsatisfiable),
        ("bytes=-0", 10, Range::Unsatisfiable),
        ("bytes=0-", 0, Range::Unsatisfiable),
        ("bytes=-1", 0, Range::Unsatisfiable),
        ("bytes=0-99999999999999999999999", 10, part(0, 9)),
        ("bytes=99999999999999999999999-", 10, Range::Unsatisfiable),
        // Not understood, or more than one: the whole.
        ("bytes=4-3", 10, Range::Whole),
        ("bytes=0-1,3-4", 10, Range::Whole),
        ("bytes=-", 10, Range::Whole),
        ("bytes=a-b", 10, Range::Whole),
        ("bytes=0-1-2", 10, Range::Whole),
        ("bytes=+1-2", 10, Range::Whole),
        ("bytes=--1", 10, Range::Whole),
        ("bytes", 10, Range::Whole),
        ("items=0-4", 10, Range::Whole),
        ("", 10, Range::Whole),
    ] {
        assert_eq!(
            parse(range.as_bytes(), length),
            expected,
            "{range} of {length}"
        );
    }
}

const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const NEXT: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

#[test]
fn if_range_wants_a_strong_validator() {
    let stored = headers(&[("etag", "\"a\""), ("last-modified", THEN), ("date", NEXT)]);
    for (condition, expected) in [
        ("\"a\"", part(0, 0)),
        ("\"b\"", Range::Whole),
        ("W/\"a\"", Range::Whole),
        (THEN, part(0, 0)),
        (NEXT, Range::Whole),
        ("nonsense", Range::Whole),
    ] {
        let asked = headers(&[("range", "bytes=0-0"), ("if-range", condition)]);
        assert_eq!(of(&asked, &stored, 10), expected, "{condition}");
    }
    let weak = headers(&[("etag", "W/\"a\""), ("last-modified", THEN), ("date", THEN)]);
    for condition in ["W/\"a\"", "\"a\"", THEN] {
        let asked = headers(&[("range", "bytes=0-0"), ("if-range", condition)]);
        assert_eq!(of(&asked, &weak, 10), Range::Whole, "{condition}");
    }
}

#[test]
fn two_lines_of_range_are_none() {
    let asked = headers(&[("range", "bytes=0-0"), ("range", "bytes=1-1")]);
    assert_eq!(of(&asked, &HeaderMap::new(), 10), Range::Whole);
    assert_eq!(of(&HeaderMap::new(), &HeaderMap::new(), 10), Range::Whole);
}

#[test]
fn content_range_is_written_with_the_whole_length() {
    assert_eq!(content_range(0, 4, 10), "bytes 0-4/10");
    assert_eq!(unsatisfied(10), "bytes */10");
}
