//! Whatever was written is read as it was, and nothing else is read at all.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;

use super::{FORMAT, Moment, read, write};
use crate::http::freshness::Freshness;
use crate::http::policy::ViewPolicy;
use crate::http::stored::{Retry, Stored, Used, Variants};
use crate::http::vary::Selecting;
use crate::http::view::View;

const SECOND: u64 = 1_000_000_000;
const WALL: u64 = 1_800_000_000_000;

fn view() -> View {
    View::new("test", ViewPolicy::new().no_cache_status())
}

fn moment(seconds: u64) -> Moment {
    Moment {
        now: seconds * SECOND,
        wall: WALL + seconds * 1000,
    }
}

fn selecting(value: Option<&[u8]>) -> Selecting {
    let name = HeaderName::from_static("accept-language");
    Selecting::from_fields([(name, value.map(Into::into))])
}

fn stored(language: Option<&[u8]>, body: &[u8]) -> Stored {
    let mut headers = HeaderMap::new();
    headers.append("set-thing", HeaderValue::from_static("1"));
    headers.append("x", HeaderValue::from_static("y"));
    headers.append(
        "set-thing",
        HeaderValue::from_bytes(b"caf\xe9 \t;").unwrap(),
    );
    headers.append("set-thing", HeaderValue::from_static(""));
    headers.insert("age", HeaderValue::from(0));
    Stored {
        status: StatusCode::NON_AUTHORITATIVE_INFORMATION,
        headers,
        body: Bytes::copy_from_slice(body),
        selecting: selecting(language),
        freshness: Freshness {
            lifetime: 60 * SECOND,
            validate: false,
            shared: true,
            while_revalidate: 5 * SECOND,
            if_error: 7 * SECOND,
            may_be_stale: true,
        },
        initial_age: 2 * SECOND,
        made_stale: false,
        received: 0,
        date: WALL / 1000,
        order: 99,
        used: Used::default(),
        retry: Retry::default(),
    }
}

fn page(all: Vec<Stored>) -> Variants {
    Variants::from(all.into_iter().map(Arc::new).collect::<Vec<_>>())
}

fn two() -> Variants {
    page(vec![stored(Some(b"de"), b"eins\0\xff"), stored(None, b"")])
}

fn all(variants: &Variants) -> Vec<&Arc<Stored>> {
    variants.iter().collect()
}

#[test]
fn a_response_comes_back_as_it_was() {
    let bytes = write(&two(), moment(0)).unwrap();
    let back = read(&bytes, &view(), moment(0), 5).unwrap();
    let (before, after) = (two(), all(&back));
    assert_eq!(after.len(), 2);
    for (before, after) in all(&before).into_iter().zip(after) {
        assert_eq!(after.status, before.status);
        assert_eq!(after.headers, before.headers, "with a place for its age");
        assert_eq!(after.body, before.body);
        assert_eq!(after.selecting, before.selecting);
        assert_eq!(after.freshness, before.freshness);
        assert_eq!(after.date, before.date);
        assert_eq!((after.received, after.order), (0, 5));
    }
}

#[test]
fn it_ages_on_the_way_by_the_clocks_of_both() {
    let age = |written: u64, read_at: Moment| {
        let bytes = write(&two(), moment(written)).unwrap();
        let back = read(&bytes, &view(), read_at, 1).unwrap();
        all(&back)[0].age(read_at.now) / SECOND
    };
    assert_eq!(age(10, moment(10)), 12, "two before, ten here");
    assert_eq!(age(10, moment(25)), 27, "fifteen on the way");
    let other_process = Moment {
        now: 3 * SECOND,
        wall: WALL + 25_000,
    };
    assert_eq!(age(10, other_process), 27, "whenever that began to count");
    let behind = Moment {
        now: 3 * SECOND,
        wall: WALL - 3_600_000,
    };
    assert_eq!(
        age(10, behind),
        12,
        "a clock that is behind does not make it younger"
    );
    let ahead = Moment {
        now: 3 * SECOND,
        wall: WALL + 3_600_000,
    };
    assert_eq!(age(10, ahead), 3602);
}

#[test]
fn an_older_date_counts_where_clocks_do_not_agree() {
    let mut old = stored(None, b"x");
    old.date -= 1000;
    old.initial_age = 0;
    let bytes = write(&page(vec![old]), moment(0)).unwrap();
    let back = read(&bytes, &view(), moment(0), 1).unwrap();
    assert_eq!(all(&back)[0].age(0) / SECOND, 999);
}

#[test]
fn every_truncation_is_nothing() {
    let bytes = write(&two(), moment(0)).unwrap();
    for end in 0..bytes.len() {
        assert!(
            read(&bytes[..end], &view(), moment(0), 1).is_none(),
            "{end}"
        );
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(read(&longer, &view(), moment(0), 1).is_none());
}

#[test]
fn another_format_is_nothing() {
    let mut bytes = write(&two(), moment(0)).unwrap();
    bytes[0] = FORMAT + 1;
    assert!(read(&bytes, &view(), moment(0), 1).is_none());
}

#[test]
fn what_no_response_can_have_is_nothing() {
    type Fields = Vec<(&'static str, Vec<u8>)>;
    let times = (0u64, 0u64, 0u64, 0u64, 0u64);
    let bytes = |status: u16, fields: Fields, selecting: Vec<(&str, Option<Vec<u8>>)>| {
        let response = (
            status,
            fields,
            vec![1u8],
            selecting,
            times,
            (false, false, false),
        );
        postcard::to_stdvec(&(FORMAT, WALL, vec![response])).unwrap()
    };
    let is_read = |bytes: &[u8]| read(bytes, &view(), moment(0), 1).is_some();
    assert!(is_read(&bytes(
        200,
        vec![("a", b"b".to_vec())],
        vec![("c", None)]
    )));
    assert!(!is_read(&bytes(99, vec![], vec![])), "no status");
    assert!(!is_read(&bytes(103, vec![], vec![])), "not final");
    assert!(!is_read(&bytes(200, vec![("a b", vec![])], vec![])));
    assert!(!is_read(&bytes(
        200,
        vec![("a", b"\r\nb".to_vec())],
        vec![]
    )));
    assert!(!is_read(&bytes(200, vec![], vec![("", None)])));
    let many = |n| (0..n).map(|_| ("a", vec![])).collect();
    assert!(is_read(&bytes(200, many(4096), vec![])));
    assert!(
        !is_read(&bytes(200, many(4097), vec![])),
        "more than a map may have to hold"
    );
}

prop_compose! {
    fn fields()(fields in prop::collection::vec(("[a-z-]{1,9}", "[ -~\u{80}-\u{ff}]{0,9}"), 0..9))
        -> HeaderMap
    {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let bytes: Vec<u8> = value.chars().map(|c| c as u8).collect();
            let name = HeaderName::try_from(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&bytes)) {
                headers.append(name, value);
            }
        }
        headers.insert("age", HeaderValue::from(0));
        headers
    }
}

proptest! {
    #[test]
    fn any_response_comes_back(
        headers in fields(),
        status in 200u16..1000,
        body: Vec<u8>,
        language in prop::option::of(prop::collection::vec(any::<u8>(), 0..9)),
        times: [u32; 4],
        flags: [bool; 3],
    ) {
        let [lifetime, while_revalidate, if_error, initial_age] = times.map(u64::from);
        let [validate, shared, may_be_stale] = flags;
        let before = Stored {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.into(),
            selecting: selecting(language.as_deref()),
            freshness: Freshness {
                lifetime, validate, shared, while_revalidate, if_error, may_be_stale,
            },
            initial_age,
            made_stale: false,
            received: 0,
            date: WALL / 1000,
            order: 1,
            used: Used::default(),
            retry: Retry::default(),
        };
        let bytes = write(&page(vec![before]), moment(1)).unwrap();
        let back = read(&bytes, &view(), moment(1), 1).unwrap();
        let again = write(&back, moment(1)).unwrap();
        prop_assert_eq!(&again, &bytes);
        prop_assert_eq!(all(&back).len(), 1);
    }

    #[test]
    fn any_bytes_do_no_harm(mut bytes: Vec<u8>) {
        let _ = read(&bytes, &view(), moment(0), 1);
        bytes.insert(0, FORMAT);
        let _ = read(&bytes, &view(), moment(0), 1);
    }

    #[test]
    fn a_changed_byte_does_no_harm(at: prop::sample::Index, change in 1u8..) {
        let mut bytes = write(&two(), moment(0)).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let _ = read(&bytes, &view(), moment(0), 1);
    }
}
