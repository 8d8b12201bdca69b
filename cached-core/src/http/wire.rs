//! Responses as bytes, for a shared store.
//!
//! All variants of one URL are one value: a number that says how it is written, the time at which it
//! was, and the responses, as postcard writes tuples. Bodies and header values stay the bytes that
//! they are. What cannot be read in full is nothing; around it stands the envelope of every entry,
//! with its checksum.

use std::sync::Arc;

use bytes::Bytes;
use http::header::AGE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_core::{Serialize, Serializer};

use super::freshness::{Freshness, nanos};
use super::stored::{Retry, Stored, Used, Variants, keep_places};
use super::vary::Selecting;
use super::view::View;
use crate::clock::Nanos;

/// How responses are written. Others are as good as absent.
const FORMAT: u8 = 1;

/// A response with more header fields does not travel: a map has room for so many, and for more.
const FIELDS: usize = 4096;

/// Bytes, written as such and not one by one.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// Format, milliseconds since 1970, and the responses.
type Page<R> = (u8, u64, Vec<R>);
/// Status, header fields, body, selecting fields of the request, times, and what may be done with it.
type Response<'a, B> = (
    u16,
    Vec<(&'a str, B)>,
    B,
    Vec<(&'a str, Option<B>)>,
    Times,
    Allowed,
);
/// Date in seconds since 1970; age when it was written, lifetime, and the two windows of staleness,
/// in nanoseconds.
type Times = (u64, u64, u64, u64, u64);
/// Whether it is to be validated, is for everybody, and may be stale.
type Allowed = (bool, bool, bool);

/// The moment at which responses are written or read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Nanos,
    /// In milliseconds since 1970.
    pub(crate) wall: u64,
}

/// The bytes of some variants; none where they cannot be written.
pub(crate) fn write(variants: &Variants, moment: Moment) -> Option<Vec<u8>> {
    if variants.iter().any(|it| it.headers.len() > FIELDS) {
        return None;
    }
    let responses = variants.iter().map(|it| response(it, moment.now)).collect();
    let page: Page<Response<'_, Raw<'_>>> = (FORMAT, moment.wall, responses);
    postcard::to_stdvec(&page).ok()
}

fn response(stored: &Stored, now: Nanos) -> Response<'_, Raw<'_>> {
    let fields = stored.headers.iter().filter(|(name, _)| *name != AGE);
    let fields = fields.map(|(name, value)| (name.as_str(), Raw(value.as_bytes())));
    let selecting = stored.selecting.fields();
    let selecting = selecting.map(|(name, value)| (name.as_str(), value.map(Raw)));
    let freshness = &stored.freshness;
    (
        stored.status.as_u16(),
        fields.collect(),
        Raw(&stored.body),
        selecting.collect(),
        (
            stored.date,
            stored.age(now),
            freshness.lifetime,
            freshness.while_revalidate,
            freshness.if_error,
        ),
        (freshness.validate, freshness.shared, freshness.may_be_stale),
    )
}

/// The variants that were written, as this view stores them; none if these are not their bytes.
///
/// They count as loaded at `order`. The time that they spent on the way is that between the clocks
/// of two machines, and never less than nothing.
pub(crate) fn read(bytes: &[u8], view: &View, moment: Moment, order: u64) -> Option<Variants> {
    let (format, _) = bytes.split_first()?;
    if *format != FORMAT {
        return None;
    }
    let (page, rest) = postcard::take_from_bytes::<Page<Response<'_, &[u8]>>>(bytes).ok()?;
    let (_, written, responses) = page;
    let resident = moment
        .wall
        .saturating_sub(written)
        .saturating_mul(1_000_000);
    let all = responses.into_iter();
    let all = all.map(|it| stored(it, view, moment, resident, order).map(Arc::new));
    let all: Option<Vec<_>> = all.collect();
    rest.is_empty().then_some(Variants::from(all?))
}

fn stored(
    response: Response<'_, &[u8]>,
    view: &View,
    moment: Moment,
    resident: Nanos,
    order: u64,
) -> Option<Stored> {
    let (status, fields, body, selecting, times, allowed) = response;
    let (date, age, lifetime, while_revalidate, if_error) = times;
    let (validate, shared, may_be_stale) = allowed;
    let status = StatusCode::from_u16(status).ok()?;
    if status.is_informational() || fields.len() > FIELDS {
        return None;
    }
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let (name, value) = (field_name(name)?, HeaderValue::from_bytes(value).ok()?);
        headers.append(name, value);
    }
    keep_places(view, &mut headers);
    let selecting = selecting.into_iter();
    let selecting = selecting.map(|(name, value)| Some((field_name(name)?, value.map(Into::into))));
    let selecting: Option<Vec<_>> = selecting.collect();
    // RFC 9111, section 4.2.3: by its own date, or by the time it is known to have been here. A date
    // leaves out up to a second.
    let apparent = nanos((moment.wall / 1000).saturating_sub(date).saturating_sub(1));
    Some(Stored {
        status,
        headers,
        body: Bytes::copy_from_slice(body),
        selecting: Selecting::from_fields(selecting?),
        freshness: Freshness {
            lifetime,
            validate,
            shared,
            while_revalidate,
            if_error,
            may_be_stale,
        },
        initial_age: age.saturating_add(resident).max(apparent),
        // The rest of its age may be the time that it was stored.
        made_stale: lifetime == 0,
        received: moment.now,
        date,
        order,
        used: Used::at(moment.now),
        retry: Retry::default(),
    })
}

fn field_name(name: &str) -> Option<HeaderName> {
    HeaderName::from_bytes(name.as_bytes()).ok()
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
