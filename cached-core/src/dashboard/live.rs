//! The figures once a second, as server-sent events: collected once for all pages that are open, and
//! not at all while none is.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use http_body::Frame;

use super::{Shown, text};
use crate::clock::{Clock, Nanos, Sleep};
use crate::rt::BoxFuture;
use crate::sync::lock;

/// How many pages are told at once.
const MOST: usize = 32;
/// After so many events the browser asks anew: a server that is to end need not wait for long.
const EVENTS: u32 = 20;
const PAUSE: Nanos = 1_000_000_000;

/// The last event, and when it was collected.
#[derive(Default)]
pub(super) struct Feed(Mutex<Option<(Nanos, Bytes)>>);

impl Feed {
    /// The event of this second; the first page that asks for it has it collected.
    pub(super) fn event(&self, now: Nanos, collect: impl FnOnce() -> String) -> Bytes {
        let mut last = lock(&self.0);
        match &*last {
            Some((at, event)) if now.saturating_sub(*at) < PAUSE => event.clone(),
            _ => {
                let event = Bytes::from(format!("retry: 500\ndata: {}\n\n", collect()));
                *last = Some((now, event.clone()));
                event
            }
        }
    }

    fn forget(&self) {
        *lock(&self.0) = None;
    }
}

/// Tells one page. Its clock is the machine's, whatever that of the caches is.
struct Live {
    shown: Arc<Shown>,
    pause: Option<Sleep>,
    /// The next event, while it is waited for.
    next: Option<BoxFuture<'static, Bytes>>,
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
        let event = ready!(next.as_mut().poll(cx));
        self.next = None;
        self.left -= 1;
        self.pause = Some(Clock::System.sleep(PAUSE));
        Poll::Ready(Some(Ok(Frame::data(event))))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.shown.listening.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.shown.feed.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Feed, PAUSE};

    #[test]
    fn what_is_collected_once_a_second_is_the_same_for_all() {
        let feed = Feed::default();
        let mut collected = 0;
        let mut ask = |now| {
            feed.event(now, || {
                collected += 1;
                collected.to_string()
            })
        };
        let first = ask(7);
        assert_eq!(&first[..], b"retry: 500\ndata: 1\n\n");
        assert_eq!((ask(8), ask(PAUSE + 6)), (first.clone(), first));
        assert_eq!(&ask(PAUSE + 7)[..], b"retry: 500\ndata: 2\n\n");
        feed.forget();
        assert_eq!(&ask(PAUSE + 8)[..], b"retry: 500\ndata: 3\n\n");
    }
}
