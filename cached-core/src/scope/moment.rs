//! One count of invalidations for all caches of the process.
//!
//! The clock of each cache takes its ticks from here. So whoever does not know yet which cache will
//! store what is being read can note a moment that holds for all of them.

use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// The moment now: an invalidation that has ended, of whatever cache, is not later, and one that
/// begins from here on is.
#[cfg(feature = "axum")]
pub(crate) fn now() -> u64 {
    COUNT.load(Ordering::Acquire)
}

/// The tick of an invalidation.
pub(crate) fn next(_before: u64) -> u64 {
    COUNT.fetch_add(1, Ordering::AcqRel) + 1
}
