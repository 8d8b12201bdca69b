//! One place for the synchronisation primitives, so that the model checks can put their own in.
//!
//! `engine/flight.rs`, `scope/ticks.rs` and `http/fill.rs` use nothing but these names where they
//! take turns; `tests/model` compiles the same files against the primitives of a model checker.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
pub(crate) use std::sync::{Arc, Mutex, MutexGuard};

/// Locks, whatever a panic elsewhere may have left behind: every critical section of this crate
/// leaves its data whole before it calls anything that can panic.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A concurrent map from `u64` to `u64`, the table behind the invalidation clock.
#[derive(Default)]
pub(crate) struct TickMap(papaya::HashMap<u64, u64, crate::memory::Identity>);

impl TickMap {
    pub(crate) fn get(&self, key: u64) -> Option<u64> {
        self.0.pin().get(&key).copied()
    }

    /// Returns whether the key is new.
    pub(crate) fn insert(&self, key: u64, tick: u64) -> bool {
        self.0.pin().insert(key, tick).is_none()
    }
}
