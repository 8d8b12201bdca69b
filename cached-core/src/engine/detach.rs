//! Bodies that can be handed to another task, and where they then run.

use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::lead::{Lead, Leading};
use crate::rt::{self, BoxFuture};

/// The body of a load while it runs.
pub(crate) trait Body<R>: Future<Output = R> + Unpin + Sized {
    /// The body, to be run by another task.
    ///
    /// # Errors
    /// The body as it is, where it borrows or must stay on its thread.
    fn detach(self) -> Result<BoxFuture<'static, R>, Self>;
}

/// A body that owns all it needs and may move between threads.
pub(crate) struct Boxed<R>(pub(crate) BoxFuture<'static, R>);

impl<R> Future for Boxed<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        self.0.as_mut().poll(cx)
    }
}

impl<R> Body<R> for Boxed<R> {
    fn detach(self) -> Result<BoxFuture<'static, R>, Self> {
        Ok(self.0)
    }
}

/// A body that stays with its caller.
pub(crate) struct Pinned<'a, F>(pub(crate) Pin<&'a mut F>);

impl<F: Future> Future for Pinned<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<F: Future> Body<F::Output> for Pinned<'_, F> {
    fn detach(self) -> Result<BoxFuture<'static, F::Output>, Self> {
        Err(self)
    }
}

/// Where the background of a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spawner {
    /// The cache's runtime.
    Runtime,
    /// A thread of its own: the body is synchronous.
    Thread,
}

impl Spawner {
    /// Starts a task in the background.
    ///
    /// # Errors
    /// The task, unstarted, where there is no background.
    pub(crate) fn spawn(
        self,
        engine: &super::Engine,
        task: BoxFuture<'static, ()>,
    ) -> Result<(), BoxFuture<'static, ()>> {
        match self {
            Spawner::Runtime => engine.runtime.spawn(task),
            Spawner::Thread => rt::spawn_thread(task),
        }
    }

    /// Runs a load to its end in the background.
    ///
    /// # Errors
    /// The load as a task, unstarted, where there is no background.
    pub(crate) fn drive<R: 'static>(
        self,
        lead: Lead<R>,
        body: BoxFuture<'static, R>,
    ) -> Result<(), BoxFuture<'static, ()>> {
        let engine = std::sync::Arc::clone(&lead.load().base().engine);
        self.spawn(&engine, background(lead, body, self))
    }
}

/// A load as a task of its own: the cache is the current one inside, a failure is logged and
/// holds the next load back for a moment.
pub(crate) fn background<R: 'static>(
    lead: Lead<R>,
    body: BoxFuture<'static, R>,
    spawner: Spawner,
) -> BoxFuture<'static, ()> {
    let load = std::sync::Arc::clone(lead.load());
    let leading = Leading::new(lead, Boxed(body), spawner).in_background();
    let task = async move {
        let failed = match leading.await {
            Ok(result) => load.is_error(&result),
            Err(_panic) => true,
        };
        if failed {
            crate::trace::background_failed(&load.base().engine.name);
        }
        // Whatever the reason: what was not stored would be loaded again at the next read.
        if load.fresh().is_none() {
            super::run::throttle(&*load);
        }
    };
    Box::pin(crate::cache::current::Scoped::again(task))
}

/// Asks a future whether it is `Send`.
pub struct Auto<F>(NotSend<F>);

/// A body that is not known to be `Send`.
pub struct NotSend<F>(PhantomData<fn() -> F>);

impl<F> Auto<F> {
    #[inline]
    pub(crate) fn new() -> Self {
        Auto(NotSend(PhantomData))
    }
}

impl<F> Deref for Auto<F> {
    type Target = NotSend<F>;

    #[inline]
    fn deref(&self) -> &NotSend<F> {
        &self.0
    }
}

impl<F: Future<Output: Send> + Send> Auto<F> {
    /// It is.
    #[inline]
    pub fn send(&self) -> Detachable {
        Detachable
    }
}

impl<F> NotSend<F> {
    /// It is not.
    #[inline]
    pub fn send(&self) -> Attached {
        Attached
    }
}

/// Asks a synchronous body whether it is `Send`, and so is its result.
pub struct AutoCall<F, R>(NotSend<F>, PhantomData<fn() -> R>);

impl<F, R> AutoCall<F, R> {
    #[inline]
    pub(crate) fn new() -> Self {
        AutoCall(NotSend(PhantomData), PhantomData)
    }
}

impl<F, R> Deref for AutoCall<F, R> {
    type Target = NotSend<F>;

    #[inline]
    fn deref(&self) -> &NotSend<F> {
        &self.0
    }
}

impl<F: Send, R: Send> AutoCall<F, R> {
    /// It is.
    #[inline]
    pub fn send(&self) -> Detachable {
        Detachable
    }
}

/// The future may be handed to another task.
#[derive(Clone, Copy, Debug)]
pub struct Detachable;

/// The future stays with its caller.
#[derive(Clone, Copy, Debug)]
pub struct Attached;
