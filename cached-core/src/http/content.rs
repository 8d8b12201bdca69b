//! Whether a request has content.
//!
//! The handler may look at it, and the key cannot; so such a request goes past a layer. HTTP/1 says so
//! in the header. From HTTP/2 on a body may come unannounced: there the body itself is asked, and one
//! of a type that is not known counts as content.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use http::Version;
use http_body::Body;
use http_body_util::{Empty, Full};

/// What a body of a known type says; none for one of another type.
type Ask = fn(&dyn Any) -> Option<bool>;

/// How request bodies are asked, and made where there is nothing in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    ask: Option<Ask>,
    /// A `fn() -> B`.
    empty: Option<Arc<dyn Any + Send + Sync>>,
}

impl Content {
    /// Bodies of this type are asked as well.
    pub(crate) fn of<B: Body + 'static>() -> Self {
        Content {
            ask: Some(ask::<B>),
            empty: None,
        }
    }

    /// The same, and one without content is made so.
    pub(crate) fn made_by<B: Body + 'static>(empty: fn() -> B) -> Self {
        Content {
            empty: Some(Arc::new(empty)),
            ..Self::of::<B>()
        }
    }

    /// A body without content, of a type for which it is known how to make one.
    pub(crate) fn empty<B: 'static>(&self) -> Option<B> {
        let make = self.empty.as_ref().and_then(|make| make.downcast_ref());
        make.map(|make: &fn() -> B| make()).or_else(default)
    }

    /// Whether a body may hold something.
    pub(crate) fn may_be_in<B: 'static>(&self, body: &B, version: Version) -> bool {
        let body: &dyn Any = body;
        let known = self
            .ask
            .and_then(|ask| ask(body))
            .or_else(|| built_in(body));
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

/// The default of a built-in type.
fn default<B: 'static>() -> Option<B> {
    let mut made: Option<B> = None;
    let place: &mut dyn Any = &mut made;
    #[cfg(feature = "axum")]
    fill::<axum_core::body::Body>(place);
    fill::<()>(place);
    fill::<Full<Bytes>>(place);
    fill::<Empty<Bytes>>(place);
    made
}

/// Puts a default into the place, where it is one for this type.
fn fill<B: Default + 'static>(place: &mut dyn Any) {
    if let Some(place) = place.downcast_mut::<Option<B>>() {
        *place = Some(B::default());
    }
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
