//! How often a handler has run.
#![allow(
    dead_code,
    reason = "every test is a crate of its own and uses a part of this"
)]

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts how often a handler runs.
#[derive(Debug, Default)]
pub(crate) struct Runs(AtomicUsize);

impl Runs {
    pub(crate) const fn new() -> Self {
        Runs(AtomicUsize::new(0))
    }

    /// One more; its number.
    pub(crate) fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}
