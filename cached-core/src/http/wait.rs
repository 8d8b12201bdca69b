//! Waiting for another's load instead of running the handler.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::HeaderName;

use super::load::{Duty, FlightOf, Landing, Load, Start};
use super::stored::Stored;
use super::variant;
use crate::clock::Nanos;
use crate::engine::flight::{Flight, News};
use crate::engine::flights;
use crate::rt::BoxFuture;

/// How long a body of unknown length is waited for: a page that is made in pieces is whole by then, a
/// feed never is.
const WITHOUT_END: Nanos = 2_000_000_000;

/// The part a request has in a load.
enum Part {
    Lead(Start),
    Join(Arc<FlightOf>),
}

/// How a request comes to its response.
pub(crate) enum Turn {
    /// By running the handler.
    Lead(Start),
    /// By that of another.
    Collapsed(Arc<Stored>),
}

/// What came of waiting.
enum Waited {
    Stored(Arc<Stored>),
    /// The response is of another variant: these fields select.
    Other(Vec<HeaderName>),
    /// There was no end to it: a panic, or nobody who went on.
    Gone,
    Nothing,
}

/// Leads a load or joins one that is under way, of a variant as far as the fields are known.
fn enter(load: &Arc<Load>, names: &[HeaderName]) -> Part {
    let mut start = load.begin();
    let key = variant::key(load.spot.key(), &load.asked.headers, names);
    let entered = load.engine.flights.enter_as(
        &load.engine.ticks,
        Arc::clone(&key),
        &load.scopes,
        start.began.tick,
        Flight::new,
    );
    match entered {
        flights::Part::Join(flight) => Part::Join(flight),
        flights::Part::Lead(flight) => {
            start.duty = Some(Duty {
                load: Arc::clone(load),
                key,
                flight: Some(flight),
            });
            Part::Lead(start)
        }
    }
}

/// Leads a load that others may wait for; none if one is under way.
pub(crate) fn lead(load: &Arc<Load>) -> Option<Start> {
    match enter(load, &load.varies) {
        Part::Lead(start) => Some(start),
        Part::Join(_) => None,
    }
}

/// Begins a load, or else waits for that of another: for its response, if there is something in it for
/// this request.
///
/// Where it turns out to be of another variant, those who waited in vain make theirs together; where
/// its handler panicked or was dropped half way, one of them runs it for all.
pub(crate) async fn turn(load: &Arc<Load>) -> Turn {
    let until = (load.engine.clock.now()).saturating_add(load.engine.wait_limit);
    let mut other: Option<Vec<HeaderName>> = None;
    let mut waited = false;
    loop {
        let names = other.as_ref().unwrap_or(&load.varies);
        let flight = match enter(load, names) {
            Part::Lead(start) => return Turn::Lead(start),
            Part::Join(flight) => flight,
        };
        if !std::mem::replace(&mut waited, true) {
            load.counters.waited(load.named());
        }
        match wait(load, flight, until).await {
            Waited::Stored(stored) => return Turn::Collapsed(stored),
            Waited::Other(names) if other.is_none() => other = Some(names),
            // Each time one less waits, and all of them no longer than the limit.
            Waited::Gone => {}
            Waited::Other(_) | Waited::Nothing => return Turn::Lead(load.begin()),
        }
    }
}

/// Waits for another's load.
async fn wait(load: &Load, flight: Arc<FlightOf>, until: Nanos) -> Waited {
    let clock = &load.engine.clock;
    let left = until.saturating_sub(clock.now());
    let mut limit = pin!(clock.sleep(left));
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
            return Poll::Ready(Waited::Nothing);
        }
        if filling.is_none() {
            let (fill, of) = match ready!(waiting.poll(cx)) {
                News::Landed(Landing::Stored(stored)) => {
                    return Poll::Ready(match stored.selecting.matches(&load.asked.headers) {
                        true => Waited::Stored(stored),
                        false => Waited::Other(stored.selecting.names()),
                    });
                }
                News::Landed(Landing::Filling(fill, of)) => (fill.upgrade(), of),
                News::Landed(Landing::Alone) => return Poll::Ready(Waited::Nothing),
                News::Gone => return Poll::Ready(Waited::Gone),
                News::TakeOver(never) => match never {},
            };
            if !of.matches(&load.asked.headers) {
                return Poll::Ready(Waited::Other(of.names()));
            }
            let Some(fill) = fill else {
                return Poll::Ready(Waited::Nothing);
            };
            if fill.is_open() {
                open = true;
                let left = until.saturating_sub(clock.now());
                limit.set(clock.sleep(WITHOUT_END.min(left)));
                // For its waker.
                if limit.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Waited::Nothing);
                }
            }
            filling = Some(Box::pin(fill.stored()));
        }
        let stored = filling.as_mut().map(|filling| filling.as_mut().poll(cx));
        match stored {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(Some(stored))) => Poll::Ready(Waited::Stored(stored)),
            Some(Poll::Ready(None)) | None => Poll::Ready(Waited::Nothing),
        }
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
