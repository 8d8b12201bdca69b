//! Ranges of a complete response (RFC 9110, section 14).

use http::header::{ETAG, IF_RANGE, LAST_MODIFIED, RANGE};
use http::{HeaderMap, HeaderValue};

use super::conditional::Tag;
use super::control::digits;
use super::date;

/// What a request's `Range` means for a response of some length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    /// There is none, or none that is understood: the whole response.
    Whole,
    /// Bytes from `first` to `last`, both included.
    Part { first: usize, last: usize },
    /// No byte of it is there.
    Unsatisfiable,
}

/// Reads the `Range` of a request for a response that is stored.
///
/// Several ranges in one are answered with the whole, which is always allowed.
pub(crate) fn of(request: &HeaderMap, response: &HeaderMap, length: usize) -> Range {
    let mut lines = request.get_all(RANGE).iter();
    let (Some(range), None) = (lines.next(), lines.next()) else {
        return Range::Whole;
    };
    if !if_range(request, response) {
        return Range::Whole;
    }
    parse(range.as_bytes(), length)
}

fn parse(range: &[u8], length: usize) -> Range {
    let Some((unit, spec)) = split(range, b'=') else {
        return Range::Whole;
    };
    if !unit.trim_ascii().eq_ignore_ascii_case(b"bytes") || spec.contains(&b',') {
        return Range::Whole;
    }
    let Some((first, last)) = split(spec.trim_ascii(), b'-') else {
        return Range::Whole;
    };
    match (first, last) {
        ([], []) => Range::Whole,
        ([], suffix) => match number(suffix) {
            Some(0) => Range::Unsatisfiable,
            Some(_) if length == 0 => Range::Unsatisfiable,
            Some(suffix) => Range::Part {
                first: length.saturating_sub(suffix),
                last: length - 1,
            },
            None => Range::Whole,
        },
        (first, last) => {
            let open = last.is_empty();
            let last = if open { Some(usize::MAX) } else { number(last) };
            match (number(first), last) {
                (Some(first), Some(last)) if first > last => Range::Whole,
                (Some(first), Some(_)) if first >= length => Range::Unsatisfiable,
                (Some(first), Some(last)) => Range::Part {
                    first,
                    last: last.min(length - 1),
                },
                _ => Range::Whole,
            }
        }
    }
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == at)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// A position; one that is too large for what is stored stays so.
fn number(bytes: &[u8]) -> Option<usize> {
    digits(bytes).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

/// Whether the part still is one of what the client has the rest of; only a strong validator can
/// tell.
fn if_range(request: &HeaderMap, response: &HeaderMap) -> bool {
    let mut lines = request.get_all(IF_RANGE).iter();
    let condition = match (lines.next(), lines.next()) {
        (None, _) => return true,
        (Some(condition), None) => condition,
        _ => return false,
    };
    if let Some(tag) = Tag::parse(condition.as_bytes()) {
        let etag = response.get(ETAG);
        let etag = etag.and_then(|etag| Tag::parse(etag.as_bytes()));
        return etag.is_some_and(|etag| etag.is_same(tag));
    }
    let modified = response.get(LAST_MODIFIED).and_then(date::parse);
    let sent = response.get(http::header::DATE).and_then(date::parse);
    match (date::parse(condition), modified, sent) {
        // A second in which it was sent may have seen two of it (section 8.8.2.2).
        (Some(condition), Some(modified), Some(sent)) => condition == modified && modified < sent,
        _ => false,
    }
}

/// `Content-Range` for a part.
pub(crate) fn content_range(first: usize, last: usize, length: usize) -> HeaderValue {
    value(format!("bytes {first}-{last}/{length}"))
}

/// `Content-Range` where no byte of it is there.
pub(crate) fn unsatisfied(length: usize) -> HeaderValue {
    value(format!("bytes */{length}"))
}

fn value(text: String) -> HeaderValue {
    // Letters, digits and signs only.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("bytes */*"))
}

#[cfg(test)]
#[path = "range_tests.rs"]
mod tests;
