//! Futures that a test polls by hand: what happens between two polls is the test's to say.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use dewar::testing::TestCache;
use dewar::{BoxFuture, Cache, CacheBuilder, Runtime};

/// A call that is under way.
pub(crate) struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
}

impl<T> Task<T> {
    pub(crate) fn new(future: impl Future<Output = T> + 'static) -> Self {
        Task {
            future: Box::pin(future),
        }
    }

    /// The same call, begun.
    #[track_caller]
    pub(crate) fn waiting(mut self) -> Self {
        self.pending();
        self
    }

    pub(crate) fn step(&mut self) -> Poll<T> {
        let mut cx = Context::from_waker(Waker::noop());
        self.future.as_mut().poll(&mut cx)
    }

    #[track_caller]
    pub(crate) fn pending(&mut self) {
        assert!(self.step().is_pending(), "the call has ended");
    }

    /// The result, which must be there by now.
    #[track_caller]
    pub(crate) fn done(&mut self) -> T {
        match self.step() {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("the call has not ended"),
        }
    }
}

/// A background that runs when the test says so.
#[derive(Clone, Default)]
pub(crate) struct Steps(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl Runtime for Steps {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        self.0.lock().unwrap().push(task);
        Ok(())
    }
}

impl Steps {
    /// Polls every task once.
    pub(crate) fn step(&self) {
        let mut cx = Context::from_waker(Waker::noop());
        let tasks = std::mem::take(&mut *self.0.lock().unwrap());
        let left = tasks
            .into_iter()
            .filter_map(|mut task| task.as_mut().poll(&mut cx).is_pending().then_some(task));
        let left: Vec<_> = left.collect();
        self.0.lock().unwrap().extend(left);
    }

    /// How many tasks have not ended.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Drops all tasks, as a runtime does that shuts down.
    pub(crate) fn shut_down(&self) {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap());
        drop(tasks);
    }
}

/// A cache with a clock and a background that the test moves.
pub(crate) fn stepped(describe: impl FnOnce(CacheBuilder) -> CacheBuilder) -> (TestCache, Steps) {
    let steps = Steps::default();
    let builder = describe(Cache::builder()).runtime(steps.clone());
    (TestCache::with(builder).unwrap(), steps)
}

/// Whether something panics.
pub(crate) fn panics<T>(run: impl FnOnce() -> T) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err()
}
