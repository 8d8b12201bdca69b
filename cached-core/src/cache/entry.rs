//! `entry!(f(args))`: a handle on one call's entry.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::invalidate::{Invalidated, Invalidation};
use crate::clock::{NEVER, Nanos};
use crate::engine::at::{At, Place};
use crate::engine::call::Load;
use crate::engine::detach::{Auto, AutoCall};
use crate::engine::peek::{fresh_all, left_all};
use crate::engine::run::{Drive, DriveBlocking};
#[cfg(feature = "stores")]
use crate::engine::through::{encoded, publish};
use crate::error::Error;
use crate::watch::MissReason;

/// A handle on the entry of one call of an `async fn`: what `entry!(f(args))` returns.
///
/// ```
/// # futures::executor::block_on(async {
/// use dewar::{cached, entry};
///
/// #[cached(timeout = 60)]
/// async fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// assert_eq!(entry!(square(4)).get().await, None);
/// entry!(square(4)).put(16).await?;
/// assert_eq!(entry!(square(4)).get().await, Some(16));
/// assert_eq!(entry!(square(4)).refresh().await, 16);
/// # Ok::<(), dewar::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "a handle does nothing by itself"]
pub struct Entry<R: 'static, F> {
    at: At<R>,
    body: F,
}

/// A handle on the entry of one call of a synchronous function: what `entry!(f(args))` returns.
///
/// ```
/// use dewar::{cached, entry};
///
/// #[cached(timeout = 60)]
/// fn cube(n: u64) -> u64 {
///     n * n * n
/// }
///
/// entry!(cube(3)).put(27)?;
/// assert_eq!(entry!(cube(3)).get(), Some(27));
/// # Ok::<(), dewar::Error>(())
/// ```
#[must_use = "a handle does nothing by itself"]
pub struct BlockingEntry<R: 'static, F> {
    at: At<R>,
    body: F,
}

impl<R: 'static> At<R> {
    fn load(&self) -> Option<&Arc<dyn Load<R>>> {
        match &self.0 {
            Place::Miss { load, .. } | Place::Ready { load, .. } => Some(load),
            Place::Hit(_) | Place::Bypass(_) => None,
        }
    }

    async fn peek(&self) -> Option<R> {
        fresh_all(&[self.load()?]).await.pop()?
    }

    pub(crate) fn place(&self, value: &R) -> Result<(), Error> {
        let load = match &self.0 {
            Place::Miss { load, .. } | Place::Ready { load, .. } => load,
            Place::Bypass(Some(error)) => return Err(error.again()),
            Place::Hit(_) | Place::Bypass(None) => return Ok(()),
        };
        let engine = &load.base().engine;
        engine.fence(load.key());
        if !load.store(value, engine.begin()) {
            // What was there is not what the function returns any more.
            engine.forget(load.key());
        }
        Ok(())
    }

    pub(crate) fn name(&self) -> String {
        self.load().map_or_else(String::new, |load| {
            let base = load.base();
            format!("{}:{:016x}", base.scopes.prefix(), base.hash)
        })
    }

    async fn left(&self) -> Option<Duration> {
        left_all(&[self.load()?]).await.pop()?.map(duration)
    }

    /// The same place, to be loaded whatever is there.
    fn anew(self) -> At<R> {
        match self.0 {
            Place::Miss { load, .. } | Place::Ready { load, .. } => {
                let base = load.base();
                base.counters.missed(base.named(), MissReason::Refreshed);
                At(Place::Miss { load, anew: true })
            }
            place => At(place),
        }
    }
}

pub(crate) fn duration(nanos: Nanos) -> Duration {
    if nanos == NEVER {
        Duration::MAX
    } else {
        Duration::from_nanos(nanos)
    }
}

macro_rules! common {
    () => {
        /// The entry's key, as statistics and logs show it.
        pub fn key(&self) -> String {
            self.at.name()
        }

        /// For generated code.
        #[doc(hidden)]
        pub fn place(self) -> At<R> {
            self.at
        }

        /// Invalidates the entry, and any load of it that is under way.
        pub fn invalidate(self) -> Invalidated {
            Invalidation::new().call(self.at).run()
        }
    };
}

impl<R: 'static> At<R> {
    /// The handle on a call whose body is asynchronous.
    #[inline]
    pub fn entry<F: Future<Output = R>>(self, body: F) -> Entry<R, F> {
        Entry {
            at: self.moved(),
            body,
        }
    }

    /// The handle on a call whose body blocks.
    #[inline]
    pub fn blocking<F: FnOnce() -> R>(self, body: F) -> BlockingEntry<R, F> {
        BlockingEntry {
            at: self.moved(),
            body,
        }
    }

    /// The same. What is moved as a whole may be read in other widths than a hit has just been
    /// written in, and the processor waits for that, a third of the time of a hit: whether it does is
    /// left to the chance of how a build is laid out unless the value is moved by itself.
    #[inline]
    fn moved(self) -> Self {
        match self.0 {
            Place::Hit(value) => At(Place::Hit(value)),
            place => At(place),
        }
    }
}

impl<R: 'static, F: Future<Output = R>> Entry<R, F> {
    /// For generated code: the value of a hit, and else the call that is still to be made.
    ///
    /// A hit that goes through a future is written into it and read back at once, in other widths:
    /// the processor waits for that, longer than for all of its looking up.
    #[doc(hidden)]
    #[inline]
    pub fn hit(self) -> Result<R, Self> {
        let Entry { at, body } = self;
        match at.0 {
            Place::Hit(value) => Ok(value),
            place => Err(At(place).entry(body)),
        }
    }

    /// For generated code: makes the call.
    #[doc(hidden)]
    #[inline]
    pub fn run(self) -> impl Future<Output = R> {
        self.at.run_here(self.body)
    }

    /// For generated code: makes the call, its body handed over if `how` says that it can be.
    #[doc(hidden)]
    #[inline]
    pub fn run_as<D: Drive<F>>(self, how: impl FnOnce(Auto<F>) -> D) -> impl Future<Output = R> {
        let how = how(Auto::new());
        how.drive(self.at, self.body)
    }

    common!();

    /// The value, only if it is cached and fresh, in memory or on a shared store; no body runs, and
    /// it counts as neither a hit nor a miss. For `idle_timeout` it is a read like any other.
    pub async fn get(&self) -> Option<R> {
        self.at.peek().await
    }

    /// Whether there is a fresh value, in memory or on a shared store.
    pub async fn contains(&self) -> bool {
        self.at.left().await.is_some()
    }

    /// How long the value is fresh still, if there is one; [`Duration::MAX`] for one that never
    /// expires.
    pub async fn ttl(&self) -> Option<Duration> {
        self.at.left().await
    }

    /// Stores a value as if the function had returned it. A load that is under way will not
    /// overwrite it.
    ///
    /// # Errors
    /// The function's cache is unknown, or its shared store refused.
    pub async fn put(&self, value: R) -> Result<(), Error> {
        self.at.place(&value)?;
        #[cfg(feature = "stores")]
        if let Some(load) = self.at.load() {
            let encoded = encoded(&**load, &value);
            drop(value);
            return publish(Arc::clone(load), encoded).await;
        }
        Ok(())
    }

    /// Runs the function and stores what it returns, whatever is cached.
    pub async fn refresh(self) -> R {
        self.at.anew().run_here(self.body).await
    }

    /// Runs the function's body, past the cache.
    pub async fn uncached(self) -> R {
        self.body.await
    }
}

impl<R: 'static, F: FnOnce() -> R> BlockingEntry<R, F> {
    /// For generated code: makes the call.
    #[doc(hidden)]
    #[inline]
    pub fn run(self) -> R {
        self.at.call(self.body)
    }

    /// For generated code: makes the call, its body handed over if `how` says that it can be.
    #[doc(hidden)]
    #[inline]
    pub fn run_as<D: DriveBlocking<R, F>>(self, how: impl FnOnce(AutoCall<F, R>) -> D) -> R {
        let how = how(AutoCall::new());
        how.drive(self.at, self.body)
    }

    /// For generated code: makes the call with its body on a thread of its own.
    #[doc(hidden)]
    #[inline]
    pub fn run_timed(self) -> R
    where
        F: Send + 'static,
        R: Send,
    {
        self.at.call_timed(self.body)
    }

    common!();

    /// The value, only if it is cached and fresh, in memory or on a shared store; no body runs, and
    /// it counts as neither a hit nor a miss. For `idle_timeout` it is a read like any other.
    pub fn get(&self) -> Option<R> {
        crate::rt::block_on(self.at.peek())
    }

    /// Whether there is a fresh value, in memory or on a shared store.
    pub fn contains(&self) -> bool {
        crate::rt::block_on(self.at.left()).is_some()
    }

    /// How long the value is fresh still, if there is one; [`Duration::MAX`] for one that never
    /// expires.
    pub fn ttl(&self) -> Option<Duration> {
        crate::rt::block_on(self.at.left())
    }

    /// Stores a value as if the function had returned it. A load that is under way will not
    /// overwrite it.
    ///
    /// # Errors
    /// The function's cache is unknown, or its shared store refused.
    pub fn put(&self, value: R) -> Result<(), Error> {
        self.at.place(&value)?;
        #[cfg(feature = "stores")]
        if let Some(load) = self.at.load() {
            return crate::rt::block_on(publish(Arc::clone(load), encoded(&**load, &value)));
        }
        Ok(())
    }

    /// Runs the function and stores what it returns, whatever is cached.
    pub fn refresh(self) -> R {
        self.at.anew().call(self.body)
    }

    /// Runs the function's body, past the cache.
    pub fn uncached(self) -> R {
        (self.body)()
    }
}
