//! The only clock of the crate: the machine's, or one that a test moves by hand.
//!
//! Time is a `u64` of nanoseconds since the clock was made, so that an entry's deadlines fit in
//! atomics. Nothing here is ordered between processes, and no invalidation is decided by time.

mod hand;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::sync::lock;

/// A point in time, in nanoseconds since the start of the clock.
pub(crate) type Nanos = u64;

/// No deadline.
pub(crate) const NEVER: Nanos = u64::MAX;

/// A duration in nanoseconds; what does not fit is [`NEVER`].
pub(crate) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER)
}

/// Where a cache takes the time from.
#[derive(Clone)]
pub(crate) enum Clock {
    System,
    Manual(ManualClock),
}

impl Clock {
    /// The time now.
    pub(crate) fn now(&self) -> Nanos {
        match self {
            Clock::System => nanos(start().elapsed()),
            Clock::Manual(clock) => clock.inner.now.load(Ordering::SeqCst),
        }
    }

    /// A time that has not come yet, or that is now: what is not due then is not due. It costs
    /// next to nothing.
    #[inline]
    pub(crate) fn latest(&self) -> Nanos {
        match self {
            Clock::System => hand::latest(),
            Clock::Manual(clock) => clock.inner.now.load(Ordering::SeqCst),
        }
    }

    /// Makes sure that [`latest`](Clock::latest) keeps its word; to be called now and then.
    pub(crate) fn check(&self) {
        if let Clock::System = self {
            hand::check();
        }
    }

    /// Completes when `after` has gone by.
    pub(crate) fn sleep(&self, after: Nanos) -> Sleep {
        let deadline = self.now().saturating_add(after);
        Sleep {
            clock: self.clone(),
            deadline,
            timer: None,
        }
    }

    /// Milliseconds since 1970, for what other processes read; it orders nothing.
    pub(crate) fn wall_millis(&self) -> u64 {
        match self {
            Clock::System => {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            }
            Clock::Manual(_) => 1_800_000_000_000 + self.now() / 1_000_000,
        }
    }

    fn timers(&self) -> &Timers {
        match self {
            Clock::System => system_timers(),
            Clock::Manual(clock) => &clock.inner.timers,
        }
    }
}

fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// A clock that stands still until a test moves it.
///
/// ```
/// use dewar::testing::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.elapsed(), Duration::from_secs(60));
/// ```
#[derive(Clone, Default)]
pub struct ManualClock {
    inner: Arc<Manual>,
}

#[derive(Default)]
struct Manual {
    now: AtomicU64,
    timers: Timers,
}

impl ManualClock {
    /// A clock at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward and wakes whoever waited for a time up to then.
    pub fn advance(&self, by: Duration) {
        let moved = |now: Nanos| Some(now.saturating_add(nanos(by)));
        let set = (self.inner.now).fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
        let now = set.unwrap_or_else(|now| now).saturating_add(nanos(by));
        self.inner.timers.fire(now);
    }

    /// How far the clock has been moved.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.inner.now.load(Ordering::SeqCst))
    }
}

impl std::fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ManualClock").field(&self.elapsed()).finish()
    }
}

/// Who waits for which time.
#[derive(Default)]
struct Timers {
    waiting: Mutex<BTreeMap<(Nanos, u64), Waker>>,
    /// When the thread that fires them looks next; only changed while holding `waiting`.
    look: AtomicU64,
    changed: Condvar,
    next: AtomicU64,
}

impl Timers {
    fn add(&self, deadline: Nanos, waker: Waker) -> (Nanos, u64) {
        let id = (deadline, self.next.fetch_add(1, Ordering::Relaxed));
        self.set(id, waker);
        id
    }

    fn set(&self, id: (Nanos, u64), waker: Waker) {
        let mut waiting = lock(&self.waiting);
        waiting.insert(id, waker);
        // Most timers are limits that are not reached. The thread is not woken for each of them,
        // only where it would look too late.
        if id.0 < self.look.load(Ordering::Relaxed) {
            self.look.store(id.0, Ordering::Relaxed);
            self.changed.notify_one();
        }
    }

    /// Replaces the waker, unless the timer has gone off; then it is set anew and goes off again.
    fn renew(&self, id: (Nanos, u64), waker: &Waker) {
        self.set(id, waker.clone());
    }

    fn remove(&self, id: (Nanos, u64)) {
        lock(&self.waiting).remove(&id);
    }

    /// Wakes everyone whose time has come.
    fn fire(&self, now: Nanos) {
        let due = {
            let mut waiting = lock(&self.waiting);
            let later = waiting.split_off(&(now.saturating_add(1), 0));
            std::mem::replace(&mut *waiting, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    /// The body of the system clock's timer thread.
    fn run(&self) {
        loop {
            let now = Clock::System.now();
            self.fire(now);
            let waiting = lock(&self.waiting);
            let pause = match waiting.keys().next() {
                Some((deadline, _)) => Duration::from_nanos(deadline.saturating_sub(now)),
                None => Duration::from_secs(3600),
            };
            if !pause.is_zero() {
                self.look
                    .store(now.saturating_add(nanos(pause)), Ordering::Relaxed);
                drop(self.changed.wait_timeout(waiting, pause));
            }
        }
    }
}

fn system_timers() -> &'static Timers {
    static TIMERS: OnceLock<&'static Timers> = OnceLock::new();
    TIMERS.get_or_init(|| {
        let timers: &'static Timers = Box::leak(Box::default());
        drop(crate::rt::thread("dewar-timers", move || timers.run()));
        timers
    })
}

/// A future that completes at a time of its clock.
pub(crate) struct Sleep {
    clock: Clock,
    deadline: Nanos,
    timer: Option<(Nanos, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.deadline {
            return Poll::Ready(());
        }
        match self.timer {
            Some(id) => self.clock.timers().renew(id, cx.waker()),
            None => self.timer = Some(self.clock.timers().add(self.deadline, cx.waker().clone())),
        }
        // The time may have come between the first look and the registration.
        if self.clock.now() >= self.deadline {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.timer {
            self.clock.timers().remove(id);
        }
    }
}
