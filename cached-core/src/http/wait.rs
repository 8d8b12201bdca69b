//! Waiting for another's load instead of running the handler.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::load::{Duty, FlightOf, Landing, Load, Start};
use super::stored::Stored;
use crate::clock::Nanos;
use crate::engine::flight::{Flight, News};
use crate::engine::flights;
use crate::rt::BoxFuture;

/// How long a body of unknown length is waited for: a page that is made in pieces is whole by then, a
/// feed never is.
const WITHOUT_END: Nanos = 2_000_000_000;

/// The part a request has in a load.
pub(crate) enum Part {
    Lead(Start),
    Join(Arc<FlightOf>),
}

/// Leads a load or joins one that is under way.
pub(crate) fn enter(load: &Arc<Load>) -> Part {
    let mut start = load.begin();
    let entered = load.engine.flights.enter_as(
        &load.engine.ticks,
        load.spot.key(),
        &load.scopes,
        start.began.tick,
        Flight::new,
    );
    match entered {
        flights::Part::Join(flight) => Part::Join(flight),
        flights::Part::Lead(flight) => {
            start.duty = Some(Duty {
                load: Arc::clone(load),
                flight: Some(flight),
            });
            Part::Lead(start)
        }
    }
}

/// Waits for another's load; none if there is nothing in it for this request.
pub(crate) async fn wait(load: &Load, flight: Arc<FlightOf>) -> Option<Arc<Stored>> {
    let mut limit = pin!(load.engine.clock.sleep(load.engine.wait_limit));
    let mut waiting = Waiting {
        flight: &flight,
        id: None,
    };
    let mut filling: Option<BoxFuture<'static, Option<Arc<Stored>>>> = None;
    let mut open = false;
    poll_fn(|cx| {
        if limit.as_mut().poll(cx).is_ready() {
            if open {
                // Nor do the next ones wait for it.
                load.remember_alone();
            }
            return Poll::Ready(None);
        }
        if filling.is_none() {
            match waiting.poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(News::Landed(Landing::Stored(stored))) => {
                    return Poll::Ready(Some(stored));
                }
                Poll::Ready(News::Landed(Landing::Filling(fill))) => {
                    let Some(fill) = fill.upgrade() else {
                        return Poll::Ready(None);
                    };
                    if fill.is_open() {
                        open = true;
                        let most = WITHOUT_END.min(load.engine.wait_limit);
                        limit.set(load.engine.clock.sleep(most));
                        // For its waker.
                        if limit.as_mut().poll(cx).is_ready() {
                            return Poll::Ready(None);
                        }
                    }
                    filling = Some(Box::pin(fill.stored()));
                }
                Poll::Ready(News::Landed(Landing::Alone) | News::Gone) => {
                    return Poll::Ready(None);
                }
                Poll::Ready(News::TakeOver(never)) => match never {},
            }
        }
        filling
            .as_mut()
            .map_or(Poll::Ready(None), |filling| filling.as_mut().poll(cx))
    })
    .await
}

struct Waiting<'a> {
    flight: &'a FlightOf,
    id: Option<u64>,
}

impl Waiting<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<News<Landing, std::convert::Infallible>> {
        self.flight.poll(&mut self.id, cx)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let _ = self.flight.leave(self.id);
    }
}
