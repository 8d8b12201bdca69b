//! Synchronous bodies on a thread of their own, so that their callers can stop waiting.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use super::flights::Bodies;
use crate::cache::current::Scoped;
use crate::rt::{block_on, spawn_thread};
use crate::sync::lock;

/// A synchronous body on a thread of its own, as a future.
///
/// It starts when first polled; where no thread can be had, it runs there and then.
pub(crate) struct Job<R> {
    body: Option<Box<dyn FnOnce() -> R + Send>>,
    done: Arc<Done<R>>,
}

type Outcome<R> = thread::Result<R>;

/// Where the thread leaves its result.
struct Done<R> {
    state: Mutex<(Option<Outcome<R>>, Option<Waker>)>,
}

impl<R: Send + 'static> Job<R> {
    pub(crate) fn new(body: impl FnOnce() -> R + Send + 'static) -> Self {
        let done = Arc::new(Done {
            state: Mutex::new((None, None)),
        });
        Job {
            body: Some(Box::new(body)),
            done,
        }
    }

    fn start(&self, body: Box<dyn FnOnce() -> R + Send>) {
        let done = Arc::clone(&self.done);
        let (bodies, here) = (Bodies::here(), crate::trace::Here::new());
        let task = async move {
            let run = || {
                let _inside = bodies.enter();
                here.run(body)
            };
            let result = catch_unwind(AssertUnwindSafe(run));
            let waker = {
                let mut state = lock(&done.state);
                state.0 = Some(result);
                state.1.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        // The caller's cache is the current one there too, and so is its span; what the body calls
        // knows the loads that it is part of.
        let task = Scoped::again(task);
        if let Err(task) = spawn_thread(Box::pin(task)) {
            block_on(task);
        }
    }
}

impl<R: Send + 'static> Future for Job<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        if let Some(body) = self.body.take() {
            lock(&self.done.state).1 = Some(cx.waker().clone());
            self.start(body);
        }
        let mut state = lock(&self.done.state);
        match state.0.take() {
            Some(Ok(result)) => Poll::Ready(result),
            Some(Err(panic)) => {
                drop(state);
                resume_unwind(panic)
            }
            None => {
                state.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
