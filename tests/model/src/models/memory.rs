//! The protocol of `memory/mod.rs`: an index answers, moka decides.
//!
//! A model of the protocol, not of the file: the two maps are papaya's and moka's there, and one
//! key's place in each of them here. What it shows is that the order of the steps, the stripe of
//! locks and the numbers suffice, whatever moves in between; that each step is atomic is papaya's
//! and moka's to keep.

use std::collections::BTreeSet;

use crate::run::{Seen, explore, spawn};
use crate::sync::{Arc, Mutex, lock};

/// What is kept of one key.
struct Memory {
    /// The index: the number of the entry that answers.
    index: Mutex<Option<u64>>,
    /// moka: the numbers of the entries it holds.
    moka: Mutex<BTreeSet<u64>>,
    /// The stripe of the key.
    writers: Mutex<()>,
}

impl Memory {
    fn new() -> Arc<Memory> {
        Arc::new(Memory {
            index: Mutex::new(None),
            moka: Mutex::new(BTreeSet::new()),
            writers: Mutex::new(()),
        })
    }

    /// `Memory::insert`; an entry's order is its number here.
    fn insert(&self, number: u64) -> bool {
        let _turn = lock(&self.writers);
        let old = *lock(&self.index);
        if old.is_some_and(|old| old > number) {
            return false;
        }
        *lock(&self.index) = Some(number);
        if let Some(old) = old {
            self.invalidate(old);
        }
        lock(&self.moka).insert(number);
        true
    }

    /// `Memory::remove`, of an entry that was found some time ago.
    fn remove(&self, number: u64) -> bool {
        let _turn = lock(&self.writers);
        let removed = self.remove_from_index(number);
        self.invalidate(number);
        removed
    }

    /// moka's own `invalidate`, with its listener.
    fn invalidate(&self, number: u64) {
        let held = lock(&self.moka).remove(&number);
        if held {
            self.remove_from_index(number);
        }
    }

    /// moka throws an entry out, and its listener is told some time after.
    fn evict(&self) -> bool {
        let evicted = lock(&self.moka).pop_first();
        if let Some(number) = evicted {
            self.remove_from_index(number);
        }
        evicted.is_some()
    }

    /// `Index::remove`: this very entry, not another of the same key.
    fn remove_from_index(&self, number: u64) -> bool {
        let mut index = lock(&self.index);
        let same = *index == Some(number);
        if same {
            *index = None;
        }
        same
    }

    /// Both hold the same entry or none does; says which.
    fn agreed(&self, seen: &Seen) {
        let (index, moka) = (*lock(&self.index), lock(&self.moka).clone());
        assert_eq!(
            index.into_iter().collect::<BTreeSet<_>>(),
            moka,
            "index, moka"
        );
        seen.note(match index {
            None => "nothing".to_owned(),
            Some(number) => format!("entry {number}"),
        });
    }
}

/// Two writers of a key that has an entry, and evictions at any time.
pub fn two_writers_against_evictions() {
    let expected = ["entry 2", "entry 3", "nothing"];
    explore(None, &expected, |seen| {
        let memory = Memory::new();
        memory.insert(1);
        let write = |number| {
            let memory = Arc::clone(&memory);
            spawn(move || memory.insert(number))
        };
        let writers = [write(2), write(3)];
        memory.evict();
        memory.evict();
        writers.into_iter().for_each(|writer| {
            writer.join();
        });
        memory.agreed(seen);
    });
}

/// A writer, a reader that takes out the entry that it found invalid, and evictions.
pub fn a_writer_and_a_remover_against_evictions() {
    let expected = ["entry 2", "nothing"];
    explore(None, &expected, |seen| {
        let memory = Memory::new();
        memory.insert(1);
        let writer = {
            let memory = Arc::clone(&memory);
            spawn(move || memory.insert(2))
        };
        let remover = {
            let memory = Arc::clone(&memory);
            spawn(move || {
                let found = *lock(&memory.index);
                found.is_some_and(|number| memory.remove(number))
            })
        };
        memory.evict();
        writer.join();
        remover.join();
        memory.agreed(seen);
    });
}

/// Without evictions nothing is lost: the later of two entries stays.
pub fn two_writers_and_a_remover() {
    explore(None, &["entry 3"], |seen| {
        let memory = Memory::new();
        memory.insert(1);
        let write = |number| {
            let memory = Arc::clone(&memory);
            spawn(move || memory.insert(number))
        };
        let writers = [write(2), write(3)];
        memory.remove(1);
        writers.into_iter().for_each(|writer| {
            writer.join();
        });
        memory.agreed(seen);
    });
}
