//! Loads that go on when their client is gone, or has its answer already.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Response;

use super::body::ViewBody;
use crate::cache::current::Scoped;
use crate::engine::Engine;
use crate::rt::BoxFuture;

/// Runs work to its end without a client: in the background, or here and now where there is none.
pub(super) async fn in_background<Fut, E>(work: Fut, engine: Arc<Engine>)
where
    Fut: Future<Output = Result<Response<ViewBody>, E>> + Send + 'static,
    E: Send + 'static,
{
    let work = drained(work, Arc::clone(&engine));
    let task: BoxFuture<'static, ()> = Box::pin(Scoped::again(work));
    if let Err(task) = engine.runtime.spawn(task) {
        task.await;
    }
}

/// Reads a body that is on its way into the cache, where its client needs nothing of it. Without a
/// background nothing is stored.
pub(super) fn finish_in_background(body: ViewBody, engine: &Arc<Engine>) {
    let work = async { Ok::<_, Infallible>(Response::new(body)) };
    let task = Scoped::again(drained(work, Arc::clone(engine)));
    drop(engine.runtime.spawn(Box::pin(task)));
}

/// Work to its end without a client, and for no longer than a caller would wait for it.
async fn drained<E>(
    work: impl Future<Output = Result<Response<ViewBody>, E>>,
    engine: Arc<Engine>,
) {
    let mut limit = pin!(engine.clock.sleep(engine.wait_limit));
    let mut work = pin!(async move {
        if let Ok(response) = work.await {
            response.into_body().drain().await;
        }
    });
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Pending => limit.as_mut().poll(cx),
        Poll::Ready(()) => Poll::Ready(()),
    })
    .await;
}

pub(super) type Work<E> = BoxFuture<'static, Result<Response<ViewBody>, E>>;

/// A load that belongs to its client as long as that is there.
pub(super) struct Attached<E: Send + 'static> {
    work: Option<Work<E>>,
    engine: Arc<Engine>,
}

impl<E: Send + 'static> Attached<E> {
    pub(super) fn new(work: Work<E>, engine: Arc<Engine>) -> Self {
        let work = Some(work);
        Attached { work, engine }
    }
}

impl<E: Send + 'static> Future for Attached<E> {
    type Output = Result<Response<ViewBody>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else {
            return Poll::Pending;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(result)) => {
                self.work = None;
                Poll::Ready(result)
            }
            Err(panic) => {
                self.work = None;
                resume_unwind(panic)
            }
        }
    }
}

impl<E: Send + 'static> Drop for Attached<E> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            // Without a background it ends here, and those who wait are told.
            let task = Box::pin(drained(work, Arc::clone(&self.engine)));
            drop(self.engine.runtime.spawn(task));
        }
    }
}
