//! What several tests share: futures polled by hand, a background run by hand, and a source of
//! data whose loads end when the test says so.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "every test is a crate of its own and uses a part of this"
)]

#[cfg(feature = "stores")]
mod forward;
#[cfg(feature = "stores")]
mod gate;
mod raised;
mod source;
mod task;

#[cfg(feature = "stores")]
pub(crate) use forward::forward;
#[cfg(feature = "stores")]
pub(crate) use gate::{Gate, Step};
pub(crate) use raised::raised;
pub(crate) use source::{End, Failed, Source};
pub(crate) use task::{Steps, Task, panics, stepped};

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(feature = "stores")]
use dewar::testing::TestCache;

pub(crate) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Waits for what other threads do, without moving any clock; false if it does not come to pass for
/// half a minute.
pub(crate) fn until(mut holds: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < secs(30) {
        if holds() {
            return true;
        }
        std::thread::sleep(millis(1));
    }
    false
}

/// Tests that share what they load from take turns; each finds 1 there.
pub(crate) fn turn(source: &AtomicU64) -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    source.store(1, SeqCst);
    turn
}

/// Whether a process hears what others say.
#[cfg(feature = "stores")]
pub(crate) fn hears(cache: &TestCache) -> bool {
    cache.store_status().unwrap().push == Some(true)
}
