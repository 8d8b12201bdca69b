//! The only place that starts threads and tasks, and the only executor of the crate's own.

#[cfg(feature = "stores")]
mod leftovers;

#[cfg(feature = "stores")]
pub(crate) use leftovers::Leftovers;

use std::future::Future;
#[cfg(feature = "stores")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// A future that can be sent anywhere.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where background loads run: refreshes, and loads whose callers gave up.
///
/// With the feature `tokio`, the current tokio runtime is used unless a cache is given another.
///
/// ```
/// use dewar::{BoxFuture, Cache, Runtime};
///
/// struct Smol;
///
/// impl Runtime for Smol {
///     fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
///         smol::spawn(task).detach();
///         Ok(())
///     }
/// }
///
/// let cache = Cache::builder().runtime(Smol).build()?;
/// # Ok::<(), dewar::Error>(())
/// ```
pub trait Runtime: Send + Sync + 'static {
    /// Starts the task, or gives it back where there is nothing to run it on; the caller then runs
    /// it itself.
    ///
    /// # Errors
    /// The task, unstarted.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>>;
}

/// What a cache uses that was given no runtime: tokio's current one, where there is one.
pub(crate) struct Ambient;

impl Runtime for Ambient {
    #[cfg(feature = "tokio")]
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        match tokio::runtime::Handle::try_current() {
            Ok(handle) => {
                drop(handle.spawn(task));
                Ok(())
            }
            Err(_) => Err(task),
        }
    }

    #[cfg(not(feature = "tokio"))]
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        Err(task)
    }
}

/// Starts a named thread; returns whether there is one.
pub(crate) fn thread(name: &str, body: impl FnOnce() + Send + 'static) -> Option<Thread> {
    let started = thread::Builder::new().name(name.into()).spawn(body);
    started.ok().map(|handle| handle.thread().clone())
}

/// How many background loads of synchronous functions may run at once in this process.
const WORKERS: usize = 16;

static WORKING: AtomicUsize = AtomicUsize::new(0);

/// A place among the workers; given back when dropped.
struct Place;

impl Place {
    fn take() -> Option<Place> {
        WORKING
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| {
                (n < WORKERS).then_some(n + 1)
            })
            .is_ok()
            .then_some(Place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        WORKING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Runs a background load of a synchronous function on a thread of its own.
///
/// # Errors
/// The task, unstarted, where as many run already as may.
pub(crate) fn spawn_thread(task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
    let Some(place) = Place::take() else {
        return Err(task);
    };
    let task = Arc::new(std::sync::Mutex::new(Some(task)));
    let handed = Arc::clone(&task);
    let started = thread("dewar-load", move || {
        let _place = place;
        let task = crate::sync::lock(&handed).take();
        if let Some(task) = task {
            block_on(task);
        }
    });
    if started.is_some() {
        return Ok(());
    }
    let task = crate::sync::lock(&task).take();
    task.map_or(Ok(()), Err)
}

#[cfg(feature = "io")]
thread_local! {
    /// How many futures this thread drives by itself, one inside the other.
    static DRIVEN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// While it lives, this thread polls nothing but one future: a runtime that it belongs to stands
/// still.
struct Blocked;

impl Blocked {
    fn enter() -> Self {
        #[cfg(feature = "io")]
        let _ = DRIVEN.try_with(|driven| driven.set(driven.get() + 1));
        Blocked
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        #[cfg(feature = "io")]
        let _ = DRIVEN.try_with(|driven| driven.set(driven.get() - 1));
    }
}

/// The output of a future; or what it panicked with, and then it is not to be polled any more.
#[cfg(feature = "stores")]
pub(crate) async fn caught<F: Future>(future: F) -> thread::Result<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        },
    )
    .await
}

/// Drives a future on this thread, asleep while it waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let _blocked = Blocked::enter();
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    // Most are ready at once, and need no waker.
    if let Poll::Ready(value) = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        return value;
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Lets whoever polls this task see to something else first.
#[cfg(feature = "stores")]
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Does work that blocks, on one of some threads that are there for that.
#[cfg(feature = "filesystem")]
pub(crate) fn unblock<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> + Send {
    blocking::unblock(work)
}

/// The outputs of several futures that run at once.
#[cfg(feature = "stores")]
pub(crate) async fn all<F: Future + Unpin>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (future, None)).collect();
    std::future::poll_fn(|cx| {
        for (future, output) in &mut running {
            if output.is_none()
                && let Poll::Ready(ready) = Pin::new(future).poll(cx)
            {
                *output = Some(ready);
            }
        }
        match running.iter().all(|(_, output)| output.is_some()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    let outputs = running.into_iter().filter_map(|(_, output)| output);
    outputs.collect()
}

/// The runtime of those stores whose clients need tokio: one thread for all of them, so that they
/// can be used from any executor, and outlive the caller's.
#[cfg(feature = "io")]
pub(crate) mod io {
    use super::{BoxFuture, Future, Poll, thread};
    use std::sync::OnceLock;

    use tokio::runtime::{Builder, EnterGuard, Handle};

    /// The runtime; none where the system gives no thread or no poller, and then the caller's own
    /// is all there is.
    fn handle() -> Option<&'static Handle> {
        static HANDLE: OnceLock<Option<Handle>> = OnceLock::new();
        let start = || {
            let runtime = Builder::new_current_thread().enable_all().build().ok()?;
            let handle = runtime.handle().clone();
            let drive = move || runtime.block_on(std::future::pending());
            thread("dewar-io", drive).map(|_| handle)
        };
        HANDLE.get_or_init(start).as_ref()
    }

    /// What is spawned, and what waits for sockets and timers, belongs to this runtime while the
    /// guard lives.
    pub(crate) fn enter() -> Option<EnterGuard<'static>> {
        handle().map(Handle::enter)
    }

    /// The caller's own runtime: none where this is none of its tasks, or blocks it.
    #[cfg(feature = "redis")]
    pub(crate) fn of_caller() -> Option<Handle> {
        let blocked = super::DRIVEN.try_with(|driven| driven.get() > 0);
        if blocked.unwrap_or(true) {
            return None;
        }
        let runtime = Handle::try_current().ok()?;
        let ours = handle().is_some_and(|ours| ours.id() == runtime.id());
        (!ours).then_some(runtime)
    }

    /// Runs a task there.
    #[cfg(feature = "database")]
    pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        if let Some(handle) = handle() {
            drop(handle.spawn(task));
        }
    }

    /// The same for a future, whatever polls it.
    pub(crate) fn inside<'a, T: Send + 'a>(
        future: impl Future<Output = T> + Send + 'a,
    ) -> BoxFuture<'a, T> {
        Box::pin(Guarded(Some(Box::pin(future))))
    }

    /// Polled and dropped inside the runtime.
    struct Guarded<'a, T>(Option<BoxFuture<'a, T>>);

    impl<T> Future for Guarded<'_, T> {
        type Output = T;

        fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<T> {
            let _inside = enter();
            match &mut self.0 {
                Some(future) => future.as_mut().poll(cx),
                None => Poll::Pending,
            }
        }
    }

    impl<T> Drop for Guarded<'_, T> {
        fn drop(&mut self) {
            let _inside = enter();
            self.0 = None;
        }
    }
}
