//! The soft and the hard timeout of a call: how long it stays with a load, or waits for one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::call::Load;
use super::detach::Body;
use super::lead::Leading;
use super::wait::{Joined, Waited};
use crate::clock::Sleep;
use crate::rt::BoxFuture;

/// How something with time limits ended.
pub(super) enum Ended<T, R> {
    Result(T),
    /// The soft timeout: the stale value.
    Stale(R),
    /// The hard timeout: its error.
    TimedOut(R),
}

/// What the limits of a call are put on.
pub(super) trait Limitable<R>: Future + Unpin {
    /// Lets the load go on without this caller, if it can.
    fn leave(&mut self) -> Result<bool, BoxFuture<'static, ()>>;
    /// Ends the load.
    fn time_out(&mut self);
}

impl<R: 'static, B: Body<R>> Limitable<R> for Leading<R, B> {
    fn leave(&mut self) -> Result<bool, BoxFuture<'static, ()>> {
        self.background()
    }

    fn time_out(&mut self) {
        Leading::time_out(self);
    }
}

/// A waiter: it may leave whenever it likes.
pub(super) struct Waiting<R: 'static>(pub(super) Joined<R>);

impl<R: 'static> Future for Waiting<R> {
    type Output = Waited<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Waited<R>> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<R: 'static> Limitable<R> for Waiting<R> {
    fn leave(&mut self) -> Result<bool, BoxFuture<'static, ()>> {
        Ok(true)
    }

    fn time_out(&mut self) {}
}

/// A load, or the wait for one, under the soft and the hard timeout of its function.
pub(super) struct Limited<R: 'static, L> {
    load: Arc<dyn Load<R>>,
    inner: L,
    soft: Option<Sleep>,
    hard: Option<Sleep>,
    /// The rest of a load that was to go on in the background, where there is none.
    rest: Option<(BoxFuture<'static, ()>, R)>,
    /// The shared store may bring a value that is good while this load goes on.
    revalidates: bool,
}

/// Nothing in it is ever pinned in place.
impl<R: 'static, L> Unpin for Limited<R, L> {}

impl<R: 'static, L: Limitable<R>> Limited<R, L> {
    pub(super) fn new(load: &Arc<dyn Load<R>>, inner: L) -> Self {
        let base = load.base();
        let sleep = |limit| (limit > 0).then(|| base.engine.clock.sleep(limit));
        let may_stand_in = base.stale.is_some() || base.awaits_stale();
        let soft = sleep(base.policy.soft).filter(|_| may_stand_in);
        let hard = sleep(base.policy.hard).filter(|_| load.overdue().is_some());
        Limited {
            load: Arc::clone(load),
            inner,
            soft,
            hard,
            rest: None,
            revalidates: base.awaits_stale(),
        }
    }

    /// The soft timeout has passed: leaves with the stale value, if there is one and the load can
    /// go on without its caller.
    fn soften(&mut self) -> Option<R> {
        self.soft = None;
        let stale = self.load.stale()?;
        match self.inner.leave() {
            Ok(true) => Some(stale),
            Ok(false) => None,
            Err(rest) => {
                self.rest = Some((rest, stale));
                None
            }
        }
    }
}

impl<R: 'static, L: Limitable<R>> Future for Limited<R, L>
where
    L::Output: Sized,
{
    type Output = Ended<L::Output, R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.rest.is_none()
            && let Poll::Ready(result) = Pin::new(&mut this.inner).poll(cx)
        {
            return Poll::Ready(Ended::Result(result));
        }
        if this.revalidates && this.load.base().revalidates() {
            this.revalidates = false;
            if let Some(stale) = this.soften() {
                return Poll::Ready(Ended::Stale(stale));
            }
        }
        if ready_now(&mut this.soft, cx)
            && let Some(stale) = this.soften()
        {
            return Poll::Ready(Ended::Stale(stale));
        }
        if let Some((rest, _)) = &mut this.rest
            && rest.as_mut().poll(cx).is_ready()
            && let Some((_, stale)) = this.rest.take()
        {
            return Poll::Ready(Ended::Stale(this.load.fresh().unwrap_or(stale)));
        }
        if ready_now(&mut this.hard, cx)
            && let Some(overdue) = this.load.overdue()
        {
            this.rest = None;
            this.inner.time_out();
            return Poll::Ready(Ended::TimedOut(overdue.result()));
        }
        Poll::Pending
    }
}

fn ready_now(sleep: &mut Option<Sleep>, cx: &mut Context<'_>) -> bool {
    sleep
        .as_mut()
        .is_some_and(|sleep| Pin::new(sleep).poll(cx).is_ready())
}
