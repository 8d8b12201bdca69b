//! A hand that shows the time roughly, for reads.
//!
//! A precise look at the machine's clock costs more than all the rest of a hit. While there are
//! many reads, a thread moves a hand every [`TICK`], and reads look at the hand. It shows [`SLACK`]
//! more than the time it was moved at: what has not expired by the hand has not expired, as long as
//! the thread gets to run every [`SLACK`]; what has, is decided by the precise clock. So deadlines
//! are exact, and the clock is read only near them.
//!
//! While there are few reads nobody moves the hand, it shows nothing, and the precise clock answers.
//! The hand rests now and then to find out how many reads there are; and a reader compares it with
//! the precise clock now and then, in case its thread no longer runs (in a forked child, say).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Thread;
use std::time::Duration;

use super::{Nanos, nanos, start};

/// How often the hand is moved.
const TICK: Duration = Duration::from_millis(2);
/// How far the hand may be behind the time without any harm.
const SLACK: Nanos = 10_000_000;
/// How often it is moved before it rests.
const TURNS: u32 = 500;
/// So many precise looks, each within [`MANY`] of the one before, wake it again.
const LOOKS: u64 = 256;
/// Apart by that much on average, looks at the precise clock cost more than moving the hand.
const MANY: Nanos = 10_000;

/// What the hand shows; nothing while it rests.
static HAND: AtomicU64 = AtomicU64::new(RESTING);
const RESTING: Nanos = 0;

/// A time that has not come yet, or that is now.
#[inline]
pub(super) fn latest() -> Nanos {
    match HAND.load(Ordering::Relaxed) {
        RESTING => precise(),
        shown => shown,
    }
}

#[cold]
fn precise() -> Nanos {
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    static BEFORE: AtomicU64 = AtomicU64::new(0);
    let now = nanos(start().elapsed());
    if TAKEN.fetch_add(1, Ordering::Relaxed) % LOOKS == LOOKS - 1 {
        let before = BEFORE.swap(now, Ordering::Relaxed);
        if now.saturating_sub(before) < LOOKS * MANY {
            wake();
        }
    }
    now
}

/// Sets the hand going, if there can be a thread for it.
fn wake() {
    static THREAD: OnceLock<Option<Thread>> = OnceLock::new();
    if let Some(thread) = THREAD.get_or_init(|| crate::rt::thread("dewar-clock", turn)) {
        thread.unpark();
    }
}

fn turn() {
    loop {
        for _ in 0..TURNS {
            let shown = nanos(start().elapsed()).saturating_add(SLACK);
            HAND.store(shown, Ordering::Relaxed);
            std::thread::sleep(TICK);
        }
        HAND.store(RESTING, Ordering::Relaxed);
        std::thread::park();
    }
}

/// Has the hand rest if it is behind the time; to be called now and then.
pub(super) fn check() {
    let shown = HAND.load(Ordering::Relaxed);
    if shown < nanos(start().elapsed()) && shown != RESTING {
        let _ = HAND.compare_exchange(shown, RESTING, Ordering::Relaxed, Ordering::Relaxed);
    }
}
