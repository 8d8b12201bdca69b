//! The reads that moka has yet to be told of.
//!
//! moka does its own work in some of its `get`s, and allocates for it. A hit must not; and what
//! moka knows of reads matters only when something is to be evicted. So a hit leaves a note here,
//! and whoever inserts passes the notes on first. Where there are more than fit, the last count.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::Id;

const NOTES: usize = 512;

/// The last few reads that were not passed on yet.
pub(super) struct Reads {
    notes: Box<[Note]>,
    noted: AtomicUsize,
    passed_on: AtomicUsize,
}

/// The name of an entry.
#[derive(Default)]
struct Note(AtomicU64);

impl Default for Reads {
    fn default() -> Self {
        Reads {
            notes: (0..NOTES).map(|_| Note::default()).collect(),
            noted: AtomicUsize::new(0),
            passed_on: AtomicUsize::new(0),
        }
    }
}

impl Reads {
    pub(super) fn note(&self, id: Id) {
        let at = self.noted.fetch_add(1, Ordering::Relaxed);
        self.notes[at % NOTES].0.store(id.0, Ordering::Relaxed);
    }

    /// Passes on what was noted since the last time, at most as much as fits.
    pub(super) fn pass_on(&self, mut to: impl FnMut(Id)) {
        let end = self.noted.load(Ordering::Relaxed);
        let start = self.passed_on.swap(end, Ordering::Relaxed);
        let count = end.wrapping_sub(start).min(NOTES);
        for back in (1..=count).rev() {
            let note = &self.notes[end.wrapping_sub(back) % NOTES];
            to(Id(note.0.load(Ordering::Relaxed)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, NOTES, Reads};

    fn passed_on(reads: &Reads) -> Vec<u64> {
        let mut all = Vec::new();
        reads.pass_on(|id| all.push(id.0));
        all
    }

    fn note(reads: &Reads, numbers: std::ops::Range<u64>) {
        numbers.for_each(|number| reads.note(Id(number)));
    }

    #[test]
    fn each_read_is_passed_on_once() {
        let reads = Reads::default();
        note(&reads, 0..3);
        assert_eq!(
            (passed_on(&reads), passed_on(&reads)),
            (vec![0, 1, 2], vec![])
        );
        note(&reads, 3..4);
        assert_eq!(passed_on(&reads), [3]);
    }

    #[test]
    fn of_too_many_the_last_count() {
        let reads = Reads::default();
        note(&reads, 0..1_000);
        let all = passed_on(&reads);
        assert_eq!(
            (all.len(), all[0], all[NOTES - 1]),
            (NOTES, 1_000 - NOTES as u64, 999)
        );
    }
}
