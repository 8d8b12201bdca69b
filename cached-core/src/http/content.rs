//! Whether a request has content.
//!
//! The handler may look at it, and the key cannot; so such a request goes past a layer. HTTP/1 says so
//! in the header. From HTTP/2 on a body may come unannounced: there the body itself is asked, and one
//! of a type that is not known counts as content.

use std::any::Any;

use bytes::Bytes;
use http::Version;
use http_body::Body;
use http_body_util::{Empty, Full};

/// What a body of a known type says; none for one of another type.
type Ask = fn(&dyn Any) -> Option<bool>;

/// How request bodies are asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Content(Option<Ask>);

impl Content {
    /// Bodies of this type are asked as well.
    pub(crate) fn of<B: Body + 'static>() -> Self {
        Content(Some(ask::<B>))
    }

    /// Whether a body may hold something.
    pub(crate) fn may_be_in<B: 'static>(self, body: &B, version: Version) -> bool {
        let body: &dyn Any = body;
        let known = self.0.and_then(|ask| ask(body)).or_else(|| built_in(body));
        known.unwrap_or(version > Version::HTTP_11)
    }
}

fn ask<B: Body + 'static>(body: &dyn Any) -> Option<bool> {
    let body = body.downcast_ref::<B>()?;
    Some(!body.is_end_stream() && body.size_hint().upper() != Some(0))
}

fn built_in(body: &dyn Any) -> Option<bool> {
    #[cfg(feature = "axum")]
    if let Some(known) = ask::<axum_core::body::Body>(body) {
        return Some(known);
    }
    if body.is::<()>() {
        return Some(false);
    }
    ask::<Full<Bytes>>(body).or_else(|| ask::<Empty<Bytes>>(body))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Version;
    use http_body_util::{Empty, Full, Limited};

    use super::Content;

    #[test]
    fn a_body_that_is_not_known_counts_where_no_header_announces_it() {
        let (empty, full) = (Full::<Bytes>::default(), Full::new(Bytes::from("body")));
        let unknown = Limited::new(Empty::<Bytes>::new(), 10);
        let plain = Content::default();
        for version in [
            Version::HTTP_10,
            Version::HTTP_11,
            Version::HTTP_2,
            Version::HTTP_3,
        ] {
            let unannounced = version > Version::HTTP_11;
            assert!(!plain.may_be_in(&(), version));
            assert!(!plain.may_be_in(&empty, version));
            assert!(plain.may_be_in(&full, version));
            assert_eq!(plain.may_be_in(&unknown, version), unannounced);
            let told = Content::of::<Limited<Empty<Bytes>>>();
            assert!(!told.may_be_in(&unknown, version));
            assert!(told.may_be_in(&full, version));
        }
    }
}
