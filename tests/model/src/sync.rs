//! The primitives that the library's files are compiled against.
//!
//! The mutex is built from what loom schedules, an atomic and `park`: loom's own prints a line to
//! the standard error for each time it is taken, some millions of them here. Between an operation
//! on an atomic and the `park` or `unpark` that follows it loom does not switch threads, so those
//! two are one step. All these operations are swaps: a `swap` may not overlook another, as it may
//! a plain store that does not happen before it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use loom::sync::atomic::{AtomicBool, fence};
use loom::thread::Thread;

pub(crate) use loom::sync::atomic::Ordering;
/// Nothing here asks how often something is referred to, so counting that is no step to schedule.
pub(crate) use std::sync::Arc;

thread_local! {
    /// Whether a load may find an older value than the newest, as the memory model allows.
    ///
    /// All threads of a model share the one thread that loom runs them on.
    static WEAK: Cell<bool> = const { Cell::new(false) };
}

/// Lets loads find older values, or not, from now on.
pub(crate) fn weak(weak: bool) {
    WEAK.set(weak);
}

/// An atomic number, in one of two ways.
///
/// loom leaves out schedules that it takes to be equal to others. To tell, it looks at the last
/// access to an object alone, and a load hides a load by another thread before it; so it overlooks
/// that a store comes too late for that one. It makes no such mistake where every access is a
/// read and a write in one, but then loads find the newest value only. So each model runs twice.
pub(crate) struct AtomicU64(loom::sync::atomic::AtomicU64);

impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        AtomicU64(loom::sync::atomic::AtomicU64::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> u64 {
        if WEAK.get() {
            self.0.load(order)
        } else {
            self.0.fetch_add(0, order)
        }
    }

    pub(crate) fn store(&self, value: u64, order: Ordering) {
        if WEAK.get() {
            self.0.store(value, order);
        } else {
            self.0.swap(value, order);
        }
    }

    pub(crate) fn swap(&self, value: u64, order: Ordering) -> u64 {
        self.0.swap(value, order)
    }

    pub(crate) fn fetch_max(&self, value: u64, order: Ordering) -> u64 {
        self.0.fetch_max(value, order)
    }
}

/// A mutex that loom schedules.
pub(crate) struct Mutex<T> {
    /// Swapped whenever the mutex is taken: the order in which that happens is what counts.
    turn: AtomicBool,
    state: std::sync::Mutex<Turn>,
    data: std::sync::Mutex<T>,
}

#[derive(Default)]
struct Turn {
    held: bool,
    blocked: Vec<Thread>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(data: T) -> Self {
        Mutex {
            turn: AtomicBool::new(false),
            state: std::sync::Mutex::default(),
            data: std::sync::Mutex::new(data),
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// None while it is dropped.
    data: Option<std::sync::MutexGuard<'a, T>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    loop {
        mutex.turn.swap(true, Ordering::Acquire);
        let mut state = real(&mutex.state);
        if !state.held {
            state.held = true;
            if !WEAK.get() {
                fence(Ordering::SeqCst);
            }
            break;
        }
        state.blocked.push(loom::thread::current());
        drop(state);
        loom::thread::park();
    }
    MutexGuard {
        mutex,
        data: Some(real(&mutex.data)),
    }
}

/// Has whatever happened here happen before what follows the next [`acquire`] of the flag.
///
/// Where every load finds the newest value anyway this is no step to schedule: it orders
/// everything then, which is too much, but only loom's own books show it.
pub(crate) fn release(flag: &AtomicBool) {
    if WEAK.get() {
        flag.swap(true, Ordering::Release);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// The other side of [`release`].
pub(crate) fn acquire(flag: &AtomicBool) {
    if WEAK.get() {
        flag.swap(true, Ordering::Acquire);
    } else {
        fence(Ordering::SeqCst);
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.data.as_ref().expect("the guard is alive")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.data.as_mut().expect("the guard is alive")
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.data = None;
        if std::thread::panicking() {
            return;
        }
        release(&self.mutex.turn);
        let turn = std::mem::take(&mut *real(&self.mutex.state));
        turn.blocked.iter().for_each(Thread::unpark);
    }
}

/// A lock that loom does not see, for what no other thread of the model can be in the middle of.
pub(crate) fn real<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// How many keys a table of a model can hold.
const CELLS: usize = 6;

/// The table behind the invalidation clock. As in a lock-free map, each key is on its own: reading
/// one orders nothing but what was written with it.
pub(crate) struct TickMap {
    places: std::sync::Mutex<BTreeMap<u64, usize>>,
    /// 0 for a key that is not there: the first tick is 1.
    ticks: [AtomicU64; CELLS],
}

impl Default for TickMap {
    fn default() -> Self {
        TickMap {
            places: std::sync::Mutex::default(),
            ticks: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl TickMap {
    pub(crate) fn get(&self, key: u64) -> Option<u64> {
        Some(self.cell(key).load(Ordering::Acquire)).filter(|tick| *tick != 0)
    }

    /// Returns whether the key is new.
    pub(crate) fn insert(&self, key: u64, tick: u64) -> bool {
        self.cell(key).swap(tick, Ordering::AcqRel) == 0
    }

    fn cell(&self, key: u64) -> &AtomicU64 {
        let mut places = real(&self.places);
        let next = places.len();
        &self.ticks[*places.entry(key).or_insert(next)]
    }
}
