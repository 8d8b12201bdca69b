//! The waiters' side of a load.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::call::Load;
use super::detach::{Boxed, Spawner};
use super::flight::News;
use super::flights::{FlightOf, Half, Landing, Orphan};
use super::lead::{Lead, Leading};
use crate::clock::Sleep;
use crate::rt::BoxFuture;

/// A caller that waits for another's load, for a bounded time.
pub(crate) struct Joined<R: 'static> {
    load: Arc<dyn Load<R>>,
    flight: Arc<FlightOf<R>>,
    id: Option<u64>,
    limit: Option<Sleep>,
    counted: bool,
    done: bool,
    /// The load began too long ago for this caller: its end is waited for, and its result is not
    /// taken.
    late: bool,
    spawner: Spawner,
}

/// What came of waiting.
pub(crate) enum Waited<R: 'static> {
    /// The result.
    Result(R),
    /// The leader is gone; this caller leads the rest of the load.
    TakeOver(Leading<R, Boxed<R>>),
    /// Load for yourself; `failed` if the load that was waited for did.
    Alone { failed: bool },
    /// The load is gone: start afresh.
    Gone,
}

impl<R: 'static> Joined<R> {
    pub(crate) fn new(load: Arc<dyn Load<R>>, flight: Arc<FlightOf<R>>, late: bool) -> Self {
        Joined {
            load,
            flight,
            id: None,
            limit: None,
            counted: false,
            done: false,
            late,
            spawner: Spawner::Runtime,
        }
    }

    /// Where the load goes on if everybody leaves.
    pub(crate) fn on(mut self, spawner: Spawner) -> Self {
        self.spawner = spawner;
        self
    }

    fn lead(&self, half: Half<R>) -> (Lead<R>, BoxFuture<'static, R>) {
        Lead::adopt(Arc::clone(&self.load), self.flight.number, half)
    }

    /// What became of the load, as soon as there is something to know.
    pub(crate) fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<News<Landing<R>, Orphan<R>>> {
        let polled = self.flight.poll(&mut self.id, cx);
        match &polled {
            // The load goes on, and so does the wait for it.
            Poll::Ready(News::TakeOver(Orphan::Rest(_))) => {}
            Poll::Ready(news) => {
                self.done = true;
                if let News::Landed(_) = news {
                    self.count();
                }
            }
            Poll::Pending => self.count(),
        }
        match polled {
            // What it has brought is on the store, if it is valid.
            Poll::Ready(News::Landed(_)) if self.late => Poll::Ready(News::Gone),
            polled => polled,
        }
    }

    /// Counts this caller as one that waited, once; one that comes just in time counts as well.
    fn count(&mut self) {
        if !std::mem::replace(&mut self.counted, true) {
            let base = self.load.base();
            base.counters.waited(base.named());
        }
    }

    /// For how long to wait at most, from now on.
    pub(crate) fn limit(&self) -> Sleep {
        let engine = &self.load.base().engine;
        engine.clock.sleep(engine.wait_limit)
    }

    fn waited(&self, news: News<Landing<R>, Orphan<R>>) -> Waited<R> {
        match news {
            News::Landed(Landing::Shared(share)) => Waited::Result(share()),
            News::Landed(Landing::Alone { failed }) => Waited::Alone { failed },
            News::TakeOver(Orphan::Half(half)) => {
                let (lead, body) = self.lead(half);
                if self.late {
                    // It is waited for where it goes on; where it cannot, it has ended.
                    drop(self.spawner.drive(lead, body));
                    return Waited::Gone;
                }
                Waited::TakeOver(Leading::new(lead, Boxed(body), self.spawner))
            }
            News::Gone => Waited::Gone,
            // Only a batch says so, and only to others of its kind.
            News::Landed(Landing::Rows(_)) => Waited::Alone { failed: false },
            News::TakeOver(Orphan::Rest(rest)) => {
                drop(rest.take());
                Waited::Alone { failed: false }
            }
            News::Landed(Landing::Failed(_)) => Waited::Alone { failed: true },
        }
    }
}

impl<R: 'static> Future for Joined<R> {
    type Output = Waited<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Waited<R>> {
        let this = &mut *self;
        if let Poll::Ready(news) = this.poll_news(cx) {
            return Poll::Ready(this.waited(news));
        }
        if this.limit.is_none() {
            this.limit = Some(this.limit());
        }
        let Some(limit) = &mut this.limit else {
            return Poll::Pending;
        };
        match Pin::new(limit).poll(cx) {
            Poll::Ready(()) => Poll::Ready(Waited::Alone { failed: false }),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<R: 'static> Drop for Joined<R> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        match self.flight.leave(self.id.take()) {
            Some(Orphan::Half(half)) => {
                let (lead, body) = self.lead(half);
                drop(self.spawner.drive(lead, body));
            }
            // It knows where to go on.
            Some(Orphan::Rest(rest)) => drop(rest.take()),
            None => {}
        }
    }
}
