//! Waiting for another's load instead of running the handler.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::HeaderName;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};

use super::failed::{Failed, Failure};
use super::fill::Whole;
use super::landing::{Duty, FlightOf, Landing};
use super::load::{Load, Start};
use super::look::Usable;
use super::stored::Stored;
use super::variant;
use crate::clock::Nanos;
use crate::engine::Began;
use crate::engine::flight::News;
use crate::engine::flights;
use crate::rt::BoxFuture;

/// How long a body of unknown length is waited for: a page that is made in pieces is whole by then, a
/// feed never is.
const WITHOUT_END: Nanos = 2_000_000_000;

/// The part a request has in a load.
enum Part {
    Lead(Start),
    /// With when it began.
    Join(Arc<FlightOf>, Began),
}

/// How a request comes to its response.
pub(crate) enum Turn {
    /// By running the handler.
    Lead(Start),
    /// By that of another.
    Collapsed(Arc<Stored>),
    /// That of another failed, and this may stand in.
    Failed(Arc<Stored>, Failure),
    /// That of another is under way, and the shared store has this meanwhile.
    #[cfg(feature = "stores")]
    Stale(Arc<Stored>),
}

/// What came of waiting.
enum Waited {
    Stored(Arc<Stored>),
    #[cfg(feature = "stores")]
    Stale(Arc<Stored>),
    /// The response is of another variant: these fields select.
    Other(Vec<HeaderName>),
    /// There was no end to it: nobody went on.
    Gone,
    Failed(Failed),
    /// Another's client has what it asked for, which says nothing to this one.
    Unmodified,
    /// Another's client has asked wrongly, which says nothing either.
    Own,
    Nothing,
}

/// Leads a load or joins one that is under way, of a variant as far as the fields are known; not one
/// that was waited for in vain.
fn enter(load: &Arc<Load>, names: &[HeaderName], in_vain: Option<&Arc<FlightOf>>) -> Part {
    let mut start = load.begin();
    let key = variant::key(load.spot.key(), &load.asked.headers, names);
    let entered = load.engine.flights.enter_as(
        &load.engine.ticks,
        Arc::clone(&key),
        &load.scopes,
        start.began,
        in_vain,
        FlightOf::new,
    );
    match entered {
        flights::Part::Join(flight, began) => Part::Join(flight, began),
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
    match enter(load, &load.varies, None) {
        Part::Lead(start) => Some(start),
        Part::Join(..) => None,
    }
}

/// Begins a load, or else waits for that of another: for its response, if there is something in it for
/// this request.
///
/// Where it turns out to be of another variant, those who waited in vain make theirs together; where
/// its handler panicked or was dropped half way, one of them runs it for all. So does one where the
/// load began too long ago for them. Where it failed, what is stale stands in, so that a handler in
/// need is not asked by everybody. Those who have nothing that may are led by one of them a second
/// time, as they are where only the first one's way of asking was refused; and then go side by side:
/// not one after the other, with a handler that takes long to fail.
pub(crate) async fn turn(load: &Arc<Load>, old: Option<&(Arc<Stored>, Usable)>) -> Turn {
    let asked = load.engine.clock.now();
    let until = asked.saturating_add(load.engine.wait_limit);
    let mut other: Option<Vec<HeaderName>> = None;
    let (mut waited, mut again) = (false, true);
    let mut in_vain = None;
    loop {
        let names = other.as_ref().unwrap_or(&load.varies);
        let (flight, began) = match enter(load, names, in_vain.as_ref()) {
            Part::Lead(start) => return Turn::Lead(start),
            Part::Join(flight, began) => (flight, began),
        };
        if !std::mem::replace(&mut waited, true) {
            load.waits();
        }
        let late = load.comes_too_late(began, asked);
        match wait(load, &flight, until, late).await {
            Waited::Stored(_) if late => in_vain = Some(flight),
            #[cfg(feature = "stores")]
            Waited::Stale(stored) => return Turn::Stale(stored),
            Waited::Stored(stored) => return Turn::Collapsed(stored),
            Waited::Other(names) if other.is_none() => other = Some(names),
            Waited::Failed(failed) => {
                if let Some(stored) = load.left_by(&failed, old) {
                    return Turn::Failed(stored, failed.how);
                }
                match failed.how {
                    Failure::Panic => {}
                    Failure::Error if std::mem::take(&mut again) => {}
                    // It may be all that there is to be had.
                    Failure::Error | Failure::Status(_) => return Turn::Lead(load.begin()),
                }
            }
            // Whoever has conditions of its own may be told the same.
            Waited::Unmodified if !has_conditions(load) && std::mem::take(&mut again) => {}
            Waited::Own if std::mem::take(&mut again) => {}
            // Each time one less waits, and all of them no longer than the limit.
            Waited::Gone => {}
            Waited::Other(_) | Waited::Unmodified | Waited::Own | Waited::Nothing => {
                return Turn::Lead(load.begin());
            }
        }
    }
}

fn has_conditions(load: &Load) -> bool {
    let headers = &load.asked.headers;
    headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE)
}

/// Waits for another's load; `late`, if what the shared store had for that may be too old.
async fn wait(load: &Load, flight: &Arc<FlightOf>, until: Nanos, late: bool) -> Waited {
    #[cfg(not(feature = "stores"))]
    let _ = late;
    let clock = &load.engine.clock;
    let left = until.saturating_sub(clock.now());
    let mut limit = pin!(clock.sleep(left));
    let mut waiting = Waiting { flight, id: None };
    let mut filling: Option<BoxFuture<'static, Whole>> = None;
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
            let news = waiting.poll(cx);
            #[cfg(feature = "stores")]
            if news.is_pending()
                && let Some(stale) = flight.stale()
                && !late
                && load.takes_stale(stale)
            {
                return Poll::Ready(Waited::Stale(Arc::clone(stale)));
            }
            let (fill, of) = match ready!(news) {
                News::Landed(Landing::Stored(stored)) => {
                    return Poll::Ready(match stored.selecting.matches(&load.asked.headers) {
                        true => Waited::Stored(stored),
                        false => Waited::Other(stored.selecting.names()),
                    });
                }
                News::Landed(Landing::Filling(fill, of)) => (fill.upgrade(), of),
                News::Landed(Landing::Alone) => return Poll::Ready(Waited::Nothing),
                News::Landed(Landing::Unmodified) => return Poll::Ready(Waited::Unmodified),
                News::Landed(Landing::Own) => return Poll::Ready(Waited::Own),
                News::Landed(Landing::Failed(failed)) => {
                    return Poll::Ready(Waited::Failed(failed));
                }
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
            filling = Some(Box::pin(fill.whole()));
        }
        let whole = filling.as_mut().map(|filling| filling.as_mut().poll(cx));
        Poll::Ready(match whole {
            Some(Poll::Pending) => return Poll::Pending,
            Some(Poll::Ready(Whole::Stored(stored))) => Waited::Stored(stored),
            Some(Poll::Ready(Whole::Cut)) => Waited::Failed(Failed {
                how: Failure::Error,
                stale: None,
            }),
            Some(Poll::Ready(Whole::Unstored)) | None => Waited::Nothing,
        })
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
