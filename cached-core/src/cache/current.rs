//! Making a cache the current one for everything called inside.

use std::cell::RefCell;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use super::Cache;

#[derive(Clone)]
struct Frame {
    cache: Cache,
    /// Also for functions that name a cache of their own.
    all: bool,
}

thread_local! {
    /// Each counted by this thread alone: threads that read one cache would meet at its own count.
    static FRAMES: RefCell<Vec<Rc<Frame>>> = const { RefCell::new(Vec::new()) };
}

/// The cache of a frame, held while a call looks into it.
pub(crate) struct Current(Rc<Frame>);

impl Deref for Current {
    type Target = Cache;

    #[inline]
    fn deref(&self) -> &Cache {
        &self.0.cache
    }
}

/// Whether there has ever been a frame, on any thread: most programs have none.
static EVER: AtomicBool = AtomicBool::new(false);

/// The current cache, for a function that names none (`default`) or one that does.
#[inline]
pub(crate) fn of(default: bool) -> Option<Current> {
    // A frame of this thread's is no secret to it, in whatever order others see the flag.
    if EVER.load(Ordering::Relaxed) {
        innermost(default)
    } else {
        None
    }
}

/// The same, to be kept.
pub(crate) fn cache(default: bool) -> Option<Cache> {
    of(default).map(|current| current.clone())
}

fn innermost(default: bool) -> Option<Current> {
    let found = FRAMES.try_with(|frames| {
        let frames = frames.borrow();
        let frame = frames.last()?;
        (default || frame.all).then(|| Current(Rc::clone(frame)))
    });
    // A thread that is ending has no frames left.
    found.ok().flatten()
}

/// Leaves the frame when dropped.
struct Guard;

impl Guard {
    fn enter(frame: Frame) -> Guard {
        EVER.store(true, Ordering::Relaxed);
        let frame = Rc::new(frame);
        let _ = FRAMES.try_with(|frames| frames.borrow_mut().push(frame));
        Guard
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Taken out first: dropping a cache may run code that looks at the frames.
        let frame = FRAMES.try_with(|frames| frames.borrow_mut().pop());
        drop(frame);
    }
}

/// A future inside which a cache is the current one, also while it is dropped.
pub(crate) struct Scoped<F> {
    frame: Option<Frame>,
    /// None only while it is dropped.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Scoped<F> {
    fn new(frame: Frame, future: F) -> Self {
        Scoped {
            frame: Some(frame),
            future: Some(Box::pin(future)),
        }
    }

    /// The same cache as here and now, for a task that runs elsewhere.
    pub(crate) fn again(future: F) -> Self {
        let frame = FRAMES.try_with(|frames| Some(Frame::clone(frames.borrow().last()?)));
        let frame = frame.ok().flatten();
        Scoped {
            frame,
            future: Some(Box::pin(future)),
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _guard = self.frame.clone().map(Guard::enter);
        match &mut self.future {
            Some(future) => future.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for Scoped<F> {
    fn drop(&mut self) {
        let _guard = self.frame.take().map(Guard::enter);
        self.future = None;
    }
}

impl Cache {
    /// Makes this cache the current one for every annotated function called inside the future,
    /// except those that name a cache themselves.
    ///
    /// It ends with the future: tasks that are spawned inside are outside, and so is the body of a
    /// response, which is read afterwards. A `ScopeLayer` goes on for bodies.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use dewar::{Cache, cached};
    ///
    /// #[cached]
    /// async fn tenant_name(id: u64) -> String {
    ///     format!("tenant {id}")
    /// }
    ///
    /// let mine = Cache::builder().build()?;
    /// mine.scope(tenant_name(1)).await;
    /// assert_eq!(mine.len(), 1);
    /// # Ok::<(), dewar::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        Scoped::new(
            Frame {
                cache: self.clone(),
                all: false,
            },
            future,
        )
    }

    /// As [`scope`](Cache::scope), with a type that can be named.
    #[cfg(feature = "tower")]
    pub(crate) fn scoped<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(
            Frame {
                cache: self.clone(),
                all: false,
            },
            future,
        )
    }

    /// The same for synchronous code.
    pub fn scope_blocking<T>(&self, run: impl FnOnce() -> T) -> T {
        let _guard = Guard::enter(Frame {
            cache: self.clone(),
            all: false,
        });
        run()
    }

    /// As [`scope`](Cache::scope), for functions that name a cache too.
    pub(crate) fn scope_all<F: Future>(
        &self,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        Scoped::new(
            Frame {
                cache: self.clone(),
                all: true,
            },
            future,
        )
    }

    /// As [`scope_blocking`](Cache::scope_blocking), for functions that name a cache too.
    pub(crate) fn scope_all_blocking<T>(&self, run: impl FnOnce() -> T) -> T {
        let _guard = Guard::enter(Frame {
            cache: self.clone(),
            all: true,
        });
        run()
    }
}
