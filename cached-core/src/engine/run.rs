//! From a miss to a result: who runs the body, and what the caller gets.
//!
//! Synchronous and asynchronous callers share every decision: a synchronous one blocks on the same
//! futures.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::at::{At, Place};
use super::call::Load;
use super::detach::{Attached, Body, Boxed, Detachable, Pinned, Spawner};
use super::flights::Entered;
use super::job::Job;
use super::lead::{Lead, Leading, Panic};
use super::limits::{Ended, Limited, Waiting};
use super::through::{Want, through, through_sync};
use super::wait::Waited;
use crate::rt;

/// How an asynchronous body is run: in its caller's task alone, or to be handed over if need be.
pub trait Drive<F: Future<Output: 'static>> {
    /// Runs the body if the cache has nothing to serve.
    #[doc(hidden)]
    fn drive(self, at: At<F::Output>, body: F) -> impl Future<Output = F::Output>;
}

impl<F: Future<Output: 'static>> Drive<F> for Attached {
    #[inline]
    fn drive(self, at: At<F::Output>, body: F) -> impl Future<Output = F::Output> {
        at.run_here(body)
    }
}

impl<F: Future<Output: Send + 'static> + Send + 'static> Drive<F> for Detachable {
    #[inline]
    fn drive(self, at: At<F::Output>, body: F) -> impl Future<Output = F::Output> {
        Run::new(at, |place| detachable(place, body))
    }
}

async fn detachable<F: Future<Output: Send + 'static> + Send + 'static>(
    place: Place<F::Output>,
    body: F,
) -> F::Output {
    let (load, want) = place.load();
    let body = || Boxed(Box::pin(through(load, want, body)));
    go(place, body, Spawner::Runtime).await
}

async fn attached<F: Future<Output: 'static>>(place: Place<F::Output>, body: F) -> F::Output {
    let (load, want) = place.load();
    let mut body = pin!(through(load, want, body));
    go(place, || Pinned(body.as_mut()), Spawner::Runtime).await
}

/// A call: ready at once where it is a hit, and else what is left to do, out of the way.
///
/// A caller's own future has room for the hit alone.
enum Run<R, F> {
    Ready(Option<R>),
    Rest(Pin<Box<F>>),
}

impl<R: 'static, F: Future<Output = R>> Run<R, F> {
    #[inline]
    fn new(at: At<R>, rest: impl FnOnce(Place<R>) -> F) -> Self {
        match at.0 {
            Place::Hit(result) => Run::Ready(Some(result)),
            place => Run::rest(place, rest),
        }
    }

    #[cold]
    fn rest(place: Place<R>, rest: impl FnOnce(Place<R>) -> F) -> Self {
        Run::Rest(Box::pin(rest(place)))
    }
}

/// Nothing in it is ever pinned in place.
impl<R, F> Unpin for Run<R, F> {}

impl<R, F: Future<Output = R>> Future for Run<R, F> {
    type Output = R;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        match &mut *self {
            Run::Ready(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            Run::Rest(rest) => rest.as_mut().poll(cx),
        }
    }
}

/// The same for a synchronous body.
pub trait DriveBlocking<R: 'static, F: FnOnce() -> R> {
    /// Runs the body if the cache has nothing to serve.
    #[doc(hidden)]
    fn drive(self, at: At<R>, body: F) -> R;
}

impl<R: 'static, F: FnOnce() -> R> DriveBlocking<R, F> for Attached {
    fn drive(self, at: At<R>, body: F) -> R {
        at.call(body)
    }
}

impl<R: Send + 'static, F: FnOnce() -> R + Send + 'static> DriveBlocking<R, F> for Detachable {
    fn drive(self, at: At<R>, body: F) -> R {
        at.call_detached(body)
    }
}

impl<R: 'static> At<R> {
    /// Runs an asynchronous body in its caller's task.
    #[inline]
    pub fn run_here<F: Future<Output = R>>(self, body: F) -> impl Future<Output = R> {
        Run::new(self, |place| attached(place, body))
    }

    /// Runs a synchronous body.
    #[inline]
    pub fn call(self, body: impl FnOnce() -> R) -> R {
        match self.0 {
            Place::Hit(result) => result,
            place => place.call(body),
        }
    }

    /// Runs a synchronous body that can be handed to another thread.
    #[inline]
    pub fn call_detached(self, body: impl FnOnce() -> R + Send + 'static) -> R
    where
        R: Send,
    {
        match self.0 {
            Place::Hit(result) => result,
            place => place.call_detached(body),
        }
    }

    /// Runs a synchronous body on another thread, so that its caller can stop waiting.
    pub fn call_timed(self, body: impl FnOnce() -> R + Send + 'static) -> R
    where
        R: Send,
    {
        match self.0 {
            Place::Hit(result) => result,
            place => {
                let (load, want) = place.load();
                let body = || Boxed(Box::pin(through(load, want, Job::new(body))));
                rt::block_on(go(place, body, Spawner::Thread))
            }
        }
    }
}

impl<R: 'static> Place<R> {
    #[cold]
    fn call(self, body: impl FnOnce() -> R) -> R {
        match self {
            Place::Hit(result) => result,
            Place::Bypass(_) => body(),
            Place::Ready { value, load } => {
                ready_sync(value, &load, || through_sync(&load, Want::Newer, body))
            }
            Place::Miss { load, anew } => {
                load_sync(&load, anew, || through_sync(&load, Want::of(anew), body))
            }
        }
    }

    #[cold]
    fn call_detached(self, body: impl FnOnce() -> R + Send + 'static) -> R
    where
        R: Send,
    {
        let (load, want) = self.load();
        let body = || Boxed(Box::pin(through(load, want, async move { body() })));
        rt::block_on(go(self, body, Spawner::Thread))
    }

    /// The load, and what is good enough for it of what the store has.
    fn load(&self) -> (Option<Arc<dyn Load<R>>>, Want) {
        match self {
            Place::Hit(_) | Place::Bypass(_) => (None, Want::Any),
            Place::Ready { load, .. } => (Some(Arc::clone(load)), Want::Newer),
            Place::Miss { load, anew } => (Some(Arc::clone(load)), Want::of(*anew)),
        }
    }
}

/// What is left to do when the cache had nothing fresh.
async fn go<R: 'static, B: Body<R>>(
    place: Place<R>,
    body: impl FnOnce() -> B,
    spawner: Spawner,
) -> R {
    match place {
        Place::Hit(result) => result,
        Place::Bypass(_) => body().await,
        Place::Ready { value, load } => ready(value, load, body(), spawner).await,
        Place::Miss { load, anew } => miss(load, anew, body(), spawner).await,
    }
}

/// There is a value to serve, and somebody should load afresh: in the background if that can be,
/// else this caller does it, and the others go on being served.
async fn ready<R: 'static, B: Body<R>>(
    value: R,
    load: Arc<dyn Load<R>>,
    body: B,
    spawner: Spawner,
) -> R {
    let Entered::Lead(lead) = load.base().engine.flights.refresh(&load) else {
        return value;
    };
    match body.detach() {
        Ok(body) => match spawner.drive(lead, body) {
            Ok(()) => value,
            Err(task) => {
                task.await;
                load.fresh().unwrap_or(value)
            }
        },
        Err(body) => {
            let result = Limited::new(&load, Leading::new(lead, body, spawner)).await;
            settle_ready(&*load, result, value)
        }
    }
}

fn settle_ready<R: 'static>(load: &dyn Load<R>, result: Ended<Result<R, Panic>, R>, value: R) -> R {
    match result {
        Ended::Result(Ok(result)) if !load.failed(&result) => result,
        _ => {
            throttle(load);
            value
        }
    }
}

/// Holds the next load of this key back for a moment: the last one failed.
pub(crate) fn throttle<R>(load: &dyn Load<R>) {
    let base = load.base();
    if let Some(slot) = base.expired() {
        let until = base.engine.clock.now().saturating_add(base.policy.retry);
        slot.meta().times().throttle(until);
    }
}

/// There is nothing to serve.
async fn miss<R: 'static, B: Body<R>>(
    load: Arc<dyn Load<R>>,
    anew: bool,
    body: B,
    spawner: Spawner,
) -> R {
    loop {
        let waited = match load.base().engine.flights.enter(&load, anew) {
            Entered::Fresh(result) => return result,
            Entered::Inside => {
                load.base().runs_inside();
                return body.await;
            }
            Entered::Lead(lead) => {
                let leading = Leading::new(lead, body, spawner);
                return finish(&*load, Limited::new(&load, leading).await);
            }
            Entered::Join(joined) => Limited::new(&load, Waiting(joined.on(spawner))).await,
        };
        match waited {
            Ended::Result(Waited::Gone) => {}
            Ended::Result(Waited::Result(result)) => {
                return finish(&*load, Ended::Result(Ok(result)));
            }
            Ended::Result(Waited::TakeOver(leading)) => {
                drop(body);
                return finish(&*load, Limited::new(&load, leading).await);
            }
            Ended::Result(Waited::Alone { failed }) => {
                return match load.stale().filter(|_| failed) {
                    Some(stale) => serve_stale(&*load, stale),
                    None => alone(&load, body, spawner).await,
                };
            }
            Ended::Stale(stale) => return serve_stale(&*load, stale),
            Ended::TimedOut(result) => return finish(&*load, Ended::TimedOut(result)),
        }
    }
}

/// Runs the body beside the others: their load's result could not be shared, or took too long.
async fn alone<R: 'static, B: Body<R>>(load: &Arc<dyn Load<R>>, body: B, spawner: Spawner) -> R {
    let leading = Leading::new(Lead::solo(Arc::clone(load)), body, spawner);
    finish(&**load, Limited::new(load, leading).await)
}

/// What the caller gets at the end of a load: the result, or the stale value in its stead.
fn finish<R: 'static>(load: &dyn Load<R>, ended: Ended<Result<R, Panic>, R>) -> R {
    let failed = match &ended {
        Ended::Stale(_) => false,
        Ended::Result(Ok(result)) | Ended::TimedOut(result) => load.failed(result),
        Ended::Result(Err(_)) => true,
    };
    if failed && let Some(stale) = load.stale() {
        throttle(load);
        return serve_stale(load, stale);
    }
    match ended {
        Ended::Result(Ok(result)) | Ended::TimedOut(result) => result,
        Ended::Stale(stale) => serve_stale(load, stale),
        Ended::Result(Err(panic)) => resume_unwind(panic),
    }
}

fn serve_stale<R>(load: &dyn Load<R>, stale: R) -> R {
    load.base().counters.fallbacks.one();
    stale
}

/// A synchronous caller that finds a value due for a refresh and has no background: it loads.
fn ready_sync<R: 'static>(value: R, load: &Arc<dyn Load<R>>, body: impl FnOnce() -> R) -> R {
    match load.base().engine.flights.refresh(load) {
        Entered::Lead(lead) => settle_ready(&**load, Ended::Result(lead.run(body)), value),
        _ => value,
    }
}

fn load_sync<R: 'static>(load: &Arc<dyn Load<R>>, anew: bool, body: impl FnOnce() -> R) -> R {
    loop {
        let joined = match load.base().engine.flights.enter(load, anew) {
            Entered::Fresh(result) => return result,
            Entered::Inside => {
                load.base().runs_inside();
                return body();
            }
            Entered::Lead(lead) => return finish(&**load, Ended::Result(lead.run(body))),
            Entered::Join(joined) => joined,
        };
        match rt::block_on(joined) {
            Waited::Gone => {}
            Waited::Result(result) => return finish(&**load, Ended::Result(Ok(result))),
            Waited::TakeOver(leading) => {
                return finish(&**load, Ended::Result(rt::block_on(leading)));
            }
            Waited::Alone { failed } => {
                return match load.stale().filter(|_| failed) {
                    Some(stale) => serve_stale(&**load, stale),
                    None => {
                        let lead = Lead::solo(Arc::clone(load));
                        finish(&**load, Ended::Result(lead.run(body)))
                    }
                };
            }
        }
    }
}
