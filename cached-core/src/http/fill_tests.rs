//! What is held of a body.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::StreamBody;

use super::Fill;
use crate::http::body::ViewBody;
use crate::sync::lock;

#[test]
fn empty_pieces_are_not_held() {
    let pieces = ["", "a", "", "", "b", ""].map(|piece| {
        let data = Bytes::from_static(piece.as_bytes());
        Ok::<_, Infallible>(Frame::data(data))
    });
    let body = ViewBody::new(StreamBody::new(stream::iter(pieces)));
    let whole = Arc::new(std::sync::Mutex::new(None));
    let put = Arc::clone(&whole);
    let finish = move |bytes| {
        *lock(&put) = Some(bytes);
        None
    };
    let fill = Fill::new(body.into_inner(), None, 10, Box::new(finish));
    assert!(Arc::clone(&fill).advance().is_none());
    assert_eq!(lock(&fill.state).chunks, ["a", "b"]);
    assert_eq!(lock(&whole).as_deref(), Some(&b"ab"[..]));
}
