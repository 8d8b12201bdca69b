//! The body of a response that came through the cache.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use pin_project_lite::pin_project;

use super::fill::Reader;

/// Any error.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body of the handler's.
pub(crate) type Inner = UnsyncBoxBody<Bytes, BoxError>;

/// The body of a response that came through the cache: stored bytes, or the handler's own body.
///
/// ```
/// use bytes::Bytes;
/// use dewar::http::ViewBody;
/// use http_body::Body;
///
/// let body = ViewBody::from(Bytes::from_static(b"hello"));
/// assert_eq!(body.size_hint().exact(), Some(5));
/// ```
#[derive(Debug)]
pub struct ViewBody(Kind);

enum Kind {
    Bytes(Bytes),
    /// Not even an empty one: servers are not to tell of its length.
    None,
    /// Untouched.
    Inner(Inner),
    /// On its way to the client and into the cache.
    Fill(Reader),
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Bytes(_) => "Bytes",
            Kind::None => "None",
            Kind::Inner(_) => "Inner",
            Kind::Fill(_) => "Fill",
        })
    }
}

pin_project! {
    /// A body in pieces of `Bytes`, that still says how long it is.
    struct AsBytes<B> {
        #[pin]
        body: B,
    }
}

impl<B: Body> Body for AsBytes<B>
where
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(self.project().body.poll_frame(cx));
        let bytes = |mut data: B::Data| {
            let length = data.remaining();
            data.copy_to_bytes(length)
        };
        let frame = frame.map(|frame| frame.map(|it| it.map_data(bytes)).map_err(Into::into));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl ViewBody {
    /// A body of the handler's, as it is.
    pub fn new<B>(body: B) -> Self
    where
        B: Body + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        ViewBody(Kind::Inner(AsBytes { body }.boxed_unsync()))
    }

    /// No body.
    pub fn empty() -> Self {
        ViewBody(Kind::Bytes(Bytes::new()))
    }

    /// Of a status that has no content: nothing is said of its length, which would be taken for that of
    /// the page (RFC 9110, section 8.6).
    pub(crate) fn none() -> Self {
        ViewBody(Kind::None)
    }

    pub(crate) fn fill(reader: Reader) -> Self {
        ViewBody(Kind::Fill(reader))
    }

    pub(crate) fn into_inner(self) -> Inner {
        match self.0 {
            Kind::Inner(inner) => inner,
            kind => ViewBody(kind).boxed_unsync(),
        }
    }

    /// Reads a body that is on its way into the cache to its end, where nobody else does.
    pub(crate) async fn drain(self) {
        if let Kind::Fill(reader) = self.0 {
            reader.complete().await;
        }
    }
}

impl From<Bytes> for ViewBody {
    fn from(bytes: Bytes) -> Self {
        ViewBody(Kind::Bytes(bytes))
    }
}

impl Body for ViewBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.0 {
            Kind::None => Poll::Ready(None),
            Kind::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Inner(inner) => Pin::new(inner).poll_frame(cx),
            Kind::Fill(reader) => reader.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::None => true,
            Kind::Bytes(bytes) => bytes.is_empty(),
            Kind::Inner(inner) => inner.is_end_stream(),
            Kind::Fill(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::None => SizeHint::default(),
            Kind::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Inner(inner) => inner.size_hint(),
            Kind::Fill(reader) => reader.size_hint(),
        }
    }
}
