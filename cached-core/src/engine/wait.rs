//! The waiters' side of a load.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::call::Load;
use super::detach::{Boxed, Spawner};
use super::flight::News;
use super::flights::{FlightOf, Landing, Orphan};
use super::lead::{Lead, Leading};
use crate::clock::Sleep;
use crate::rt::BoxFuture;

/// A caller that waits for another's load, for a bounded time.
pub(crate) struct Joined<R: 'static> {
    load: Arc<dyn Load<R>>,
    flight: Arc<FlightOf<R>>,
    id: Option<u64>,
    limit: Option<Sleep>,
    done: bool,
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
    pub(crate) fn new(load: Arc<dyn Load<R>>, flight: Arc<FlightOf<R>>) -> Self {
        Joined {
            load,
            flight,
            id: None,
            limit: None,
            done: false,
            spawner: Spawner::Runtime,
        }
    }

    /// Where the load goes on if everybody leaves.
    pub(crate) fn on(mut self, spawner: Spawner) -> Self {
        self.spawner = spawner;
        self
    }

    fn lead(&self, orphan: Orphan<R>) -> (Lead<R>, BoxFuture<'static, R>) {
        Lead::adopt(Arc::clone(&self.load), Arc::clone(&self.flight), orphan)
    }

    fn news(&mut self, news: News<Landing<R>, Orphan<R>>) -> Waited<R> {
        self.done = true;
        match news {
            News::Landed(Landing::Shared(share)) => Waited::Result(share()),
            News::Landed(Landing::Alone { failed }) => Waited::Alone { failed },
            News::Gone => Waited::Gone,
            News::TakeOver(orphan) => {
                let (lead, body) = self.lead(orphan);
                Waited::TakeOver(Leading::new(lead, Boxed(body), self.spawner))
            }
        }
    }
}

impl<R: 'static> Future for Joined<R> {
    type Output = Waited<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Waited<R>> {
        let this = &mut *self;
        if let Poll::Ready(news) = this.flight.poll(&mut this.id, cx) {
            return Poll::Ready(this.news(news));
        }
        let engine = &this.load.base().engine;
        let limit = this.limit.get_or_insert_with(|| {
            this.load.base().counters.coalesced.one();
            engine.clock.sleep(engine.wait_limit)
        });
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
        if let Some(orphan) = self.flight.leave(self.id.take()) {
            let (lead, body) = self.lead(orphan);
            drop(self.spawner.drive(lead, body));
        }
    }
}
