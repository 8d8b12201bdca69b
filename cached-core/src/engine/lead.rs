//! The leader's side of a load.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::call::Load;
use super::detach::{Body, Spawner};
use super::flights::{self, FlightOf, Half, Landing, Number, Orphan, Start};
use super::{Began, Engine, Loading, Refreshing};
use crate::clock::{Nanos, Sleep};
use crate::rt::BoxFuture;
use crate::trace;

/// What a panic carries.
pub(crate) type Panic = Box<dyn Any + Send>;

/// The duty to end a flight: by its result, or, when dropped, by telling those who wait that there
/// will be none.
pub(crate) struct Lead<R: 'static> {
    load: Arc<dyn Load<R>>,
    /// The load's, until it ends.
    number: Option<Number>,
    began: Began,
    started: Nanos,
    loading: Option<Loading>,
    /// Open from when the body is first run.
    span: trace::Load,
}

impl<R: 'static> Lead<R> {
    /// Of a load that is listed under the number of its start, if others may join it.
    pub(crate) fn new(load: Arc<dyn Load<R>>, start: Start) -> Self {
        let engine = &load.base().engine;
        // First the count, then the tick: a write that sees no load running comes before it.
        let loading = engine.loading(load.base().hash);
        let began = engine.began(start.time);
        load.base().begins(began);
        Lead {
            load,
            number: Some(start.number),
            began,
            started: start.time,
            loading: Some(loading),
            span: trace::Load::NONE,
        }
    }

    /// A load that nobody else may join.
    pub(crate) fn solo(load: Arc<dyn Load<R>>) -> Self {
        let start = Start::now(&load.base().engine);
        Lead::alone(load, start)
    }

    /// The same, started then.
    pub(super) fn alone(load: Arc<dyn Load<R>>, start: Start) -> Self {
        let lead = Lead::new(load, start);
        lead.load.base().begins_alone();
        lead
    }

    /// It is a refresh, if there is one; counted before it began, as whoever begins after it looks
    /// whether there is one.
    #[inline]
    pub(crate) fn refreshes(&mut self, refreshing: Option<Refreshing>) {
        if let (Some(loading), Some(refreshing)) = (&mut self.loading, refreshing) {
            loading.refreshes(refreshing);
        }
    }

    /// The same duty, taken over from a leader that is gone; and the half-run body.
    pub(crate) fn adopt(
        load: Arc<dyn Load<R>>,
        number: Number,
        half: Half<R>,
    ) -> (Self, BoxFuture<'static, R>) {
        let Half {
            body,
            began,
            started,
            loading,
            span,
        } = half;
        (
            Lead {
                load,
                number: Some(number),
                began,
                started,
                loading: Some(loading),
                span,
            },
            body,
        )
    }

    pub(crate) fn began(&self) -> Began {
        self.began
    }

    /// What is left of the hard timeout, where there is one.
    fn hard(&self) -> Option<Sleep> {
        let base = self.load.base();
        self.load.overdue().filter(|_| base.policy.hard > 0)?;
        let clock = &base.engine.clock;
        let gone = clock.now().saturating_sub(self.started);
        Some(clock.sleep(base.policy.hard.saturating_sub(gone)))
    }

    pub(crate) fn load(&self) -> &Arc<dyn Load<R>> {
        &self.load
    }

    /// The load has ended: stores the result and tells the others.
    pub(crate) fn land(self, result: R) -> R {
        self.landed(&result);
        result
    }

    /// The same where the result stays where it is.
    pub(crate) fn landed(mut self, result: &R) {
        let base = self.load.base();
        if base.was_skipped() {
            // Nothing was loaded: whoever waits for it asks for itself.
            self.span.ended("skipped");
            super::run::throttle(&*self.load);
            return;
        }
        if base.was_fetched() {
            self.span.ended("fetched");
        } else {
            self.count(self.load.is_error(result));
        }
        let failed = self.load.failed(result);
        self.load.store(result, self.began);
        self.end(|load| match load.share(result) {
            Some(share) => Landing::Shared(share),
            None => Landing::Alone { failed },
        });
    }

    /// Counts the load and its time.
    fn count(&self, failed: bool) {
        let base = self.load.base();
        let gone = base.engine.clock.now().saturating_sub(self.started);
        base.counters.loaded(base.named(), gone, failed);
        self.span.ended(if failed { "failed" } else { "loaded" });
    }

    /// The load of a batch has ended, with no result for this key or with several: there is nothing
    /// to store, and what was stored before is not what the function returns any more.
    pub(crate) fn land_rows(mut self, rows: &[R], anew: bool) {
        self.count(false);
        let base = self.load.base();
        if !rows.is_empty() {
            base.counters.kept(base.named(), false);
            trace::repeated(&base.engine, base.function);
        }
        if anew && self.load.fresh().is_some() {
            base.engine.forget(self.load.key());
        }
        self.end(|load| {
            let shares: Option<_> = rows.iter().map(|row| load.share(row)).collect();
            shares.map_or(Landing::Alone { failed: false }, Landing::Rows)
        });
    }

    /// The load of a batch has failed as a whole, with an error that can be given to others or not.
    pub(crate) fn land_failed(mut self, error: Option<Arc<dyn Any + Send + Sync>>) {
        self.count(true);
        self.end(|_| error.map_or(Landing::Alone { failed: true }, Landing::Failed));
    }

    /// There was a result already; the others are given it too.
    pub(crate) fn not_needed(mut self, result: R) -> R {
        self.end(|load| match load.share(&result) {
            Some(share) => Landing::Shared(share),
            None => Landing::Alone { failed: false },
        });
        result
    }

    /// The load took longer than it may.
    pub(crate) fn time_out(mut self) {
        self.count(true);
        self.end(|load| match load.overdue() {
            Some(overdue) => Landing::Shared(Arc::new(move || overdue.result())),
            None => Landing::Alone { failed: true },
        });
    }

    /// The body panicked.
    pub(crate) fn panicked(self) {
        self.count(true);
    }

    fn end(&mut self, landing: impl FnOnce(&dyn Load<R>) -> Landing<R>) {
        let Some(flight) = self.leave() else { return };
        // Off the table nobody can join any more: if this is the only hold on it, nobody waits.
        if Arc::strong_count(&flight) > 1 {
            flight.land(landing(&*self.load));
        }
    }

    /// Takes the load off the table; returns where others wait, if there is such a place.
    fn leave(&mut self) -> Option<Arc<FlightOf<R>>> {
        let number = self.number.take()?;
        let flights = &self.load.base().engine.flights;
        flights.remove(&*self.load, number)
    }

    /// The cache that the load is of.
    pub(crate) fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.load.base().engine)
    }

    /// The number of the load, until it ends.
    pub(crate) fn number(&self) -> Option<Number> {
        self.number
    }

    /// Marks the body as running on this thread.
    pub(crate) fn body(&self) -> Option<flights::Body> {
        self.number.map(flights::Body::of)
    }

    /// The body is about to be run, unless somebody has begun to do so.
    fn open(&mut self) {
        if self.span.is_none() {
            let base = self.load.base();
            self.span = trace::Load::new(&base.engine, base.function, Some(base.named()), 1);
        }
    }

    /// Runs a synchronous body.
    pub(crate) fn run(mut self, body: impl FnOnce() -> R) -> Result<R, Panic> {
        self.open();
        let result = {
            let _inside = (self.body(), self.span.enter());
            catch_unwind(AssertUnwindSafe(body))
        };
        match result {
            Ok(result) => Ok(self.land(result)),
            Err(panic) => {
                self.panicked();
                Err(panic)
            }
        }
    }

    /// Leaves a half-run body to a waiter, or gives it back for the background to run.
    fn hand_over(mut self, body: BoxFuture<'static, R>) -> Option<(Self, BoxFuture<'static, R>)> {
        let (number, loading) = (self.number.take()?, self.loading.take()?);
        let half = Half {
            body,
            began: self.began,
            started: self.started,
            loading,
            span: std::mem::replace(&mut self.span, trace::Load::NONE),
        };
        let flights = &self.load.base().engine.flights;
        let left = match flights.awaited(&*self.load, number) {
            Some(flight) => flight.orphan(Orphan::Half(half)),
            None => Err(Orphan::Half(half)),
        };
        match left {
            Err(Orphan::Half(half)) => Some(Lead::adopt(Arc::clone(&self.load), number, half)),
            _ => None,
        }
    }
}

impl<R: 'static> Drop for Lead<R> {
    fn drop(&mut self) {
        if let Some(flight) = self.leave() {
            flight.abandon();
        }
    }
}

/// A leader that polls its body in its own task.
///
/// Dropped half way, it hands the body over if it can: to a waiter, or else to the background.
pub(crate) struct Leading<R: 'static, B: Body<R>> {
    state: Option<(Lead<R>, B)>,
    spawner: Spawner,
    /// It is a task of its own already: there is nowhere further to go when it is dropped.
    background: bool,
    /// The hard timeout of a load that has no caller to end it.
    limit: Option<Sleep>,
}

impl<R: 'static, B: Body<R>> Leading<R, B> {
    pub(crate) fn new(mut lead: Lead<R>, body: B, spawner: Spawner) -> Self {
        lead.open();
        Leading {
            state: Some((lead, body)),
            spawner,
            background: false,
            limit: None,
        }
    }

    /// The same as a task of its own.
    pub(crate) fn in_background(mut self) -> Self {
        self.background = true;
        self.limit = self.state.as_ref().and_then(|(lead, _)| lead.hard());
        self
    }

    /// The error of the hard timeout, once it has passed.
    fn overdue(&mut self, cx: &mut Context<'_>) -> Option<R> {
        let limit = self.limit.as_mut()?;
        if Pin::new(limit).poll(cx).is_pending() {
            return None;
        }
        let (lead, _) = self.state.as_ref()?;
        let overdue = lead.load.overdue()?.result();
        self.time_out();
        Some(overdue)
    }

    /// Ends the load by its hard timeout; the body is dropped.
    pub(crate) fn time_out(&mut self) {
        if let Some((lead, body)) = self.state.take() {
            drop(body);
            lead.time_out();
        }
    }

    /// Lets the load go on in the background; `false` where its body cannot be detached, and then
    /// nothing has changed.
    ///
    /// # Errors
    /// The rest of the load as a task, where there is no background: the caller runs it.
    pub(crate) fn background(&mut self) -> Result<bool, BoxFuture<'static, ()>> {
        let Some((lead, body)) = self.state.take() else {
            return Ok(false);
        };
        match body.detach() {
            Ok(body) => self.spawner.drive(lead, body).map(|()| true),
            Err(body) => {
                self.state = Some((lead, body));
                Ok(false)
            }
        }
    }
}

impl<R: 'static, B: Body<R>> Future for Leading<R, B> {
    type Output = Result<R, Panic>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some((lead, body)) = &mut self.state else {
            return Poll::Pending;
        };
        let polled = {
            let _inside = (lead.body(), lead.span.enter());
            catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll(cx)))
        };
        match polled {
            Ok(Poll::Pending) => match self.overdue(cx) {
                Some(overdue) => Poll::Ready(Ok(overdue)),
                None => Poll::Pending,
            },
            Ok(Poll::Ready(result)) => match self.state.take() {
                Some((lead, body)) => {
                    drop(body);
                    Poll::Ready(Ok(lead.land(result)))
                }
                None => Poll::Ready(Ok(result)),
            },
            Err(panic) => {
                if let Some((lead, _body)) = self.state.take() {
                    lead.panicked();
                }
                Poll::Ready(Err(panic))
            }
        }
    }
}

impl<R: 'static, B: Body<R>> Drop for Leading<R, B> {
    fn drop(&mut self) {
        let Some((lead, body)) = self.state.take() else {
            return;
        };
        if !lead.load.base().policy.detach {
            return;
        }
        if let Ok(body) = body.detach()
            && let Some((lead, body)) = lead.hand_over(body)
            && !self.background
        {
            // Without a background the load ends here: the task is dropped, and says so to others.
            drop(self.spawner.drive(lead, body));
        }
    }
}
