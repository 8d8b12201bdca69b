//! What a store takes on its server: for people, asked now and then, never on the way of a read.

use std::sync::Mutex;

use super::tier::Tier;
use crate::clock::Nanos;
use crate::sync::lock;

/// What the server of a shared store holds, all else that is there included; part of
/// [`StoreStatus`](super::StoreStatus).
///
/// A store of your own fills in what it knows:
///
/// ```
/// let mut memory = dewar::store::StoreMemory::default();
/// memory.used = 4_096;
/// memory.keys = 12;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "dashboard", derive(serde::Serialize))]
#[non_exhaustive]
pub struct StoreMemory {
    /// Bytes in use.
    pub used: u64,
    /// The most bytes that were in use since the server was started.
    pub peak: u64,
    /// Bytes that the server has of the operating system for each that it uses: well above 1 is
    /// memory lost in gaps, below 1 is memory that was swapped out. Zero where it is not known.
    pub fragmentation: f64,
    /// The bytes that it may use; none where there is no bound.
    pub limit: Option<u64>,
    /// Keys in the database.
    pub keys: u64,
}

/// How long figures are good for, and how long nobody asks again after a failure.
const GOOD: Nanos = 5_000_000_000;
const FAILED: Nanos = 60_000_000_000;

/// What the store said last.
#[derive(Default)]
pub(super) struct Known(Mutex<(Option<StoreMemory>, Nanos)>);

impl Known {
    /// What is known, however old.
    pub(super) fn get(&self) -> Option<StoreMemory> {
        lock(&self.0).0
    }

    /// Whether it is the caller's turn to ask, which others need not do meanwhile.
    fn begin(&self, now: Nanos) -> bool {
        let mut known = lock(&self.0);
        let due = known.1 <= now;
        if due {
            known.1 = now.saturating_add(GOOD);
        }
        due
    }

    fn end(&self, memory: Option<StoreMemory>, now: Nanos) {
        let again = if memory.is_some() { GOOD } else { FAILED };
        *lock(&self.0) = (memory, now.saturating_add(again));
    }
}

impl Tier {
    /// Asks the store for its figures, unless that was done a few seconds ago or it is down. Not
    /// counted: what fails here fails nobody.
    pub(crate) async fn ask_memory(&self) {
        let clock = self.guard.clock();
        if self.guard.is_up() && self.memory.begin(clock.now()) {
            let said = self.guard.uncounted(self.store().memory()).await;
            self.memory.end(said.ok().flatten(), clock.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FAILED, GOOD, Known, StoreMemory};

    #[test]
    fn one_asks_at_a_time_and_after_a_failure_nobody_for_a_while() {
        let known = Known::default();
        assert!(known.begin(1) && !known.begin(GOOD));
        known.end(Some(StoreMemory::default()), 10);
        assert!(known.get().is_some() && !known.begin(GOOD));
        assert!(known.begin(GOOD + 10));
        known.end(None, 20);
        assert!(known.get().is_none() && !known.begin(GOOD + 20) && known.begin(FAILED + 20));
    }
}
