//! The only place that starts threads and tasks, and the only executor of the crate's own.

use std::future::Future;
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

/// Drives a future on this thread, asleep while it waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
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

/// A synchronous body on a thread of its own, as a future.
///
/// It starts when first polled; where no thread can be had, it runs there and then.
pub(crate) struct Job<R> {
    body: Option<Box<dyn FnOnce() -> R + Send>>,
    done: Arc<Done<R>>,
}

type Outcome<R> = std::thread::Result<R>;

/// Where the thread leaves its result.
struct Done<R> {
    state: std::sync::Mutex<(Option<Outcome<R>>, Option<Waker>)>,
}

impl<R: Send + 'static> Job<R> {
    pub(crate) fn new(body: impl FnOnce() -> R + Send + 'static) -> Self {
        let done = Arc::new(Done {
            state: std::sync::Mutex::new((None, None)),
        });
        Job {
            body: Some(Box::new(body)),
            done,
        }
    }

    fn start(&self, body: Box<dyn FnOnce() -> R + Send>) {
        let done = Arc::clone(&self.done);
        let task = async move {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            let waker = {
                let mut state = crate::sync::lock(&done.state);
                state.0 = Some(result);
                state.1.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        // The caller's cache is the current one there too.
        let task = crate::cache::current::Scoped::again(task);
        if let Err(task) = spawn_thread(Box::pin(task)) {
            block_on(task);
        }
    }
}

impl<R: Send + 'static> Future for Job<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        if let Some(body) = self.body.take() {
            crate::sync::lock(&self.done.state).1 = Some(cx.waker().clone());
            self.start(body);
        }
        let mut state = crate::sync::lock(&self.done.state);
        match state.0.take() {
            Some(Ok(result)) => Poll::Ready(result),
            Some(Err(panic)) => {
                drop(state);
                std::panic::resume_unwind(panic)
            }
            None => {
                state.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
