//! The figures once a second, as server-sent events.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use http_body::Frame;

use super::{Shown, text};
use crate::clock::{Clock, Sleep};
use crate::rt::BoxFuture;

/// How many pages are told at once.
const MOST: usize = 32;
/// After so many events the browser asks anew: a server that is to end need not wait for long.
const EVENTS: u32 = 20;
const PAUSE: u64 = 1_000_000_000;

/// Tells one page. Its clock is the machine's, whatever that of the caches is.
struct Live {
    shown: Arc<Shown>,
    pause: Option<Sleep>,
    /// The next figures, while they are collected.
    next: Option<BoxFuture<'static, String>>,
    left: u32,
}

pub(super) fn answer(shown: &Arc<Shown>) -> Response {
    let before = shown.listening.fetch_add(1, Ordering::Relaxed);
    let live = Live {
        shown: Arc::clone(shown),
        pause: None,
        next: None,
        left: EVENTS,
    };
    if before >= MOST {
        let mut full = text("text/plain", "as many pages are open as may be\n");
        *full.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return full;
    }
    let mut response = text("text/event-stream", Body::new(live));
    let headers = response.headers_mut();
    // nginx would wait for more of it.
    let name = HeaderName::from_static("x-accel-buffering");
    headers.insert(name, HeaderValue::from_static("no"));
    response
}

impl http_body::Body for Live {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if let Some(pause) = &mut self.pause {
            ready!(Pin::new(pause).poll(cx));
        }
        self.pause = None;
        let shown = Arc::clone(&self.shown);
        let next = self
            .next
            .get_or_insert_with(|| Box::pin(async move { shown.live().await }));
        let json = ready!(next.as_mut().poll(cx));
        self.next = None;
        self.left -= 1;
        self.pause = Some(Clock::System.sleep(PAUSE));
        let event = format!("retry: 500\ndata: {json}\n\n");
        Poll::Ready(Some(Ok(Frame::data(event.into()))))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shown.listening.fetch_sub(1, Ordering::Relaxed);
    }
}
