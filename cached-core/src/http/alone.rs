//! URLs whose responses proved to be of use to one client only.
//!
//! Whoever waits for such a response waits for nothing, and then runs the handler after all. So what
//! proved so is remembered for a while, and its requests run side by side. The memory is small and
//! forgetful: of two URLs with one place, the later counts, and the other is collapsed once in vain.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Nanos;

const PLACES: usize = 256;

/// How long it is remembered, in seconds.
const REMEMBERED: u64 = 10;

/// The lower half of each is a second, the upper one a part of a key's hash.
pub(crate) struct Alone(Box<[AtomicU64]>);

impl Default for Alone {
    fn default() -> Self {
        Alone((0..PLACES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Alone {
    fn place(&self, hash: u64) -> &AtomicU64 {
        &self.0[hash as usize % PLACES]
    }

    fn mark(hash: u64, now: Nanos) -> u64 {
        // One more, so that an empty place is older than anything.
        let second = now / 1_000_000_000 + REMEMBERED + 1;
        hash >> 32 << 32 | second & 0xFFFF_FFFF
    }

    /// The response for this key was of use to one client only.
    pub(crate) fn remember(&self, hash: u64, now: Nanos) {
        self.place(hash)
            .store(Self::mark(hash, now), Ordering::Relaxed);
    }

    /// It could be stored after all.
    pub(crate) fn forget(&self, hash: u64) {
        let place = self.place(hash);
        if place.load(Ordering::Relaxed) >> 32 == hash >> 32 {
            place.store(0, Ordering::Relaxed);
        }
    }

    /// Whether this key's was not long ago.
    pub(crate) fn knows(&self, hash: u64, now: Nanos) -> bool {
        let (known, mark) = (
            self.place(hash).load(Ordering::Relaxed),
            Self::mark(hash, now),
        );
        let age = (mark & 0xFFFF_FFFF).wrapping_sub(known & 0xFFFF_FFFF);
        known >> 32 == mark >> 32 && age < REMEMBERED
    }
}

#[cfg(test)]
mod tests {
    use super::Alone;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn it_is_remembered_for_ten_seconds() {
        let (alone, hash) = (Alone::default(), 0x1234_5678_9ABC_DEF0);
        assert!(!alone.knows(hash, 0));
        alone.remember(hash, 5 * SECOND);
        assert!(alone.knows(hash, 14 * SECOND));
        assert!(!alone.knows(hash, 15 * SECOND));
        assert!(!alone.knows(!hash, 5 * SECOND));
        alone.forget(hash);
        assert!(!alone.knows(hash, 5 * SECOND));
    }
}
