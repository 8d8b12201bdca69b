//! What is held of a body.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;

use super::{Fill, Reader};
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
        *lock(&put) = bytes;
        None
    };
    let fill = Fill::new(body.into_inner(), None, 10, Box::new(finish));
    assert!(Arc::clone(&fill).advance().is_none());
    assert_eq!(lock(&fill.state).chunks, ["a", "b"]);
    assert_eq!(lock(&whole).as_deref(), Some(&b"ab"[..]));
}

#[test]
fn a_small_piece_holds_no_large_buffer() {
    let buffer = Bytes::from(vec![0; 1 << 16]);
    let piece = Ok::<_, Infallible>(Frame::data(buffer.slice(..10)));
    let body = stream::iter(vec![piece]).chain(stream::pending());
    let body = ViewBody::new(StreamBody::new(body));
    let fill = Fill::new(body.into_inner(), None, 100, Box::new(|_| None));
    assert!(Arc::clone(&fill).advance().is_none());
    assert_eq!(lock(&fill.state).chunks, [&[0u8; 10][..]]);
    assert!(buffer.is_unique());
}

#[test]
fn nothing_is_held_of_what_is_the_clients_alone() {
    let pieces = ["a", "b", "c"].map(|piece| {
        let data = Bytes::from_static(piece.as_bytes());
        Ok::<_, Infallible>(Frame::data(data))
    });
    let body = stream::iter(pieces).chain(stream::pending());
    let body = ViewBody::new(StreamBody::new(body));
    let fill = Fill::new(body.into_inner(), None, 10, Box::new(|_| None));
    assert!(Arc::clone(&fill).advance().is_none());
    fill.pass();
    let mut reader = Reader::new(Arc::clone(&fill), http_body::SizeHint::default());
    let mut cx = Context::from_waker(Waker::noop());
    for piece in ["a", "b", "c"] {
        let Poll::Ready(Some(Ok(frame))) = reader.poll_frame(&mut cx) else {
            panic!("{piece} is there");
        };
        assert_eq!(frame.into_data().unwrap(), piece);
    }
    assert!(reader.poll_frame(&mut cx).is_pending());
    let state = lock(&fill.state);
    assert!(state.chunks.is_empty() && state.rest.is_empty());
    assert!(state.finish.is_none());
}
