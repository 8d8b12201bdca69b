//! RFC 9111, section 5.2, as tables.

use super::{Control, MOST, digits};
use http::{HeaderMap, HeaderValue};

fn control(lines: &[&str]) -> Control {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("cache-control", HeaderValue::from_str(line).unwrap());
    }
    Control::of(&headers)
}

#[test]
fn max_age_is_digits_and_nothing_else() {
    for (line, seconds) in [
        ("max-age=60", 60),
        ("MAX-AGE=60", 60),
        ("max-age=0060", 60),
        ("max-age=\"60\"", 60),
        ("max-age=\"0060\"", 60),
        ("max-age=\"\\6\\0\"", 60),
        ("max-age=\"6\\\\0\"", 0),
        ("max-age=\"6\\\"0\"", 0),
        ("max-age=\"\"", 0),
        ("max-age=\" 60\"", 0),
        ("max-age=\"60 \"", 0),
        ("max-age=\"-1\"", 0),
        ("max-age=\"60, 70\"", 0),
        ("max-age=\"60\"0", 0),
        ("max-age=6\"0\"", 0),
        ("max-age=\"\"60\"\"", 0),
        ("max-age=\\60", 0),
        ("max-age= \"60\"", 0),
        ("max-age =\"60\"", 0),
        ("max-age=\"99999999999999999999999\"", MOST),
        ("max-age=0", 0),
        ("max-age=-1", 0),
        ("max-age=60.5", 0),
        ("max-age=60.0", 0),
        ("max-age='60'", 0),
        ("max-age=a60", 0),
        ("max-age=60a", 0),
        ("max-age= 60", 0),
        ("max-age =60", 0),
        ("max-age=", 0),
        ("max-age", 0),
        ("max-age=\"60", 0),
        ("max-age=2147483648", MOST),
        ("max-age=99999999999999999999999", MOST),
    ] {
        assert_eq!(control(&[line]).max_age, Some(seconds), "{line}");
    }
}

#[test]
fn a_directive_inside_a_quoted_string_is_none() {
    let quoted = control(&["extension=\"max-age=3600, no-store\", max-age=1"]);
    assert_eq!((quoted.max_age, quoted.no_store), (Some(1), false));
    assert_eq!(control(&["x=\"a\\\", max-age=9\""]).max_age, None);
}

#[test]
fn of_two_values_the_smaller_counts() {
    assert_eq!(control(&["max-age=1, max-age=60"]).max_age, Some(1));
    assert_eq!(control(&["max-age=60", "max-age=1"]).max_age, Some(1));
    assert_eq!(control(&["max-age=60, max-age=x"]).max_age, Some(0));
    assert_eq!(control(&["min-fresh=1, min-fresh=9"]).min_fresh, Some(9));
}

#[test]
fn unknown_directives_and_broken_ones_change_nothing_else() {
    let read = control(&["foo, bar=1, =, ==, max-age=60"]);
    assert_eq!((read.max_age, read.no_store), (Some(60), false));
}

#[test]
fn a_quoted_string_without_an_end_may_hide_anything() {
    assert!(control(&["x=\", max-age=60, no-store"]).no_store);
    assert!(control(&["max-age=\"60"]).no_store);
    assert!(!control(&["x=\"\", max-age=60"]).no_store);
}

#[test]
fn flags_are_read_in_any_case_and_with_fields() {
    let read = control(&["nO-StOrE, No-Cache=\"a, b\"", "private=\"x\", PUBLIC"]);
    assert!(read.no_store && read.no_cache && read.private && read.public);
    assert!(!read.must_revalidate);
}

#[test]
fn max_stale_without_a_value_stands_for_any_time() {
    assert_eq!(control(&["max-stale"]).max_stale, Some(MOST));
    assert_eq!(control(&["max-stale=5"]).max_stale, Some(5));
    assert_eq!(control(&["max-stale=x"]).max_stale, Some(0));
}

/// RFC 9111, section 5.2: a token or a quoted string, in requests as in responses.
#[test]
fn every_number_may_be_quoted() {
    let read = control(&[
        "s-maxage=\"1\", stale-while-revalidate=\"2\", stale-if-error=\"3\"",
        "max-stale=\"4\", min-fresh=\"5\", max-age=\"6\"",
    ]);
    let seconds = [
        read.s_maxage,
        read.stale_while_revalidate,
        read.stale_if_error,
        read.max_stale,
        read.min_fresh,
        read.max_age,
    ];
    assert_eq!(seconds, [1, 2, 3, 4, 5, 6].map(Some));
    // What cannot be read is the more cautious, quoted or not.
    let broken = control(&["max-stale=\"x\", min-fresh=\"x\", max-age=\"\""]);
    let seconds = [broken.max_stale, broken.min_fresh, broken.max_age];
    assert_eq!(seconds, [0, MOST, 0].map(Some));
}

#[test]
fn presence_is_told_apart_from_emptiness() {
    assert!(!control(&[]).present);
    assert!(control(&[""]).present);
}

#[test]
fn any_bytes_are_read_without_harm() {
    for bytes in [&b"max-age=\xff\xfe"[..], b"\xff=\"", b"\\\"\\", b",,,=\t=,"] {
        let mut headers = HeaderMap::new();
        headers.append("cache-control", HeaderValue::from_bytes(bytes).unwrap());
        let _ = Control::of(&headers);
    }
    assert_eq!(digits(b""), None);
}
