//! The memory tier: moka decides, an index answers.
//!
//! A lock-free map from key to entry answers reads. moka holds the same entries under their
//! numbers, bounds them, and tells through its eviction listener which of them to take out of the
//! map. Reads are reported to moka sparsely, the first few of an entry and then every so many, and
//! only before something is inserted ([`reads`]); its frequency sketch saturates at 15 anyway.
//!
//! # How the two cannot drift apart
//! An entry has a number that is never used again, and moka knows it by that number alone. Writers
//! of one key take turns (a stripe of locks): each puts its entry into the map, takes the one it
//! replaced out of moka, and then gives its own to moka. Whatever moka then does with a number, at
//! once or later, concerns exactly the entry that has it: the listener removes an entry from the
//! map only if it still is the one with that number. So the map never holds what moka has let go,
//! and moka never holds what the map has replaced. The listener takes no lock.

mod entry;
mod index;
mod reads;

pub(crate) use entry::{AnyEntry, Entry, Meta, Slot};
pub(crate) use index::{Identity, Query};

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use index::Index;
use reads::Reads;

use crate::key::{AnyKey, Parts};
use crate::sync::lock;

/// How many entries, or how many bytes, may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Entries(u64),
    Bytes(u64),
}

type Weigher = Arc<dyn Fn(&dyn AnyEntry) -> u32 + Send + Sync>;
type OnEvict = Arc<dyn Fn(&Meta) + Send + Sync>;

/// moka's name for an entry: the key's hash, so that its sketch counts the key, and the number.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Id {
    hash: u64,
    number: u64,
}

impl std::hash::Hash for Id {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// The entries of one cache.
pub(crate) struct Memory {
    index: Arc<Index>,
    moka: moka::sync::Cache<Id, Slot, Identity>,
    reads: Reads,
    writers: Box<[Mutex<()>]>,
    numbers: AtomicU64,
}

const WRITERS: usize = 64;

impl Memory {
    pub(crate) fn new(limit: Limit, weigher: Weigher, evicted: OnEvict) -> Self {
        let index = Arc::new(Index::default());
        let listener = {
            let index = Arc::clone(&index);
            move |_id: Arc<Id>, slot: Slot, cause: moka::notification::RemovalCause| {
                if index.remove(&*slot.0) && cause.was_evicted() {
                    evicted(slot.0.meta());
                }
            }
        };
        let builder = moka::sync::Cache::builder().eviction_listener(listener);
        let builder = match limit {
            Limit::Entries(most) => builder.max_capacity(most),
            Limit::Bytes(most) => builder
                .max_capacity(most)
                .weigher(move |_, slot: &Slot| weigher(&*slot.0)),
        };
        Memory {
            index,
            moka: builder.build_with_hasher(Identity::default()),
            reads: Reads::default(),
            writers: (0..WRITERS).map(|_| Mutex::default()).collect(),
            numbers: AtomicU64::new(1),
        }
    }

    /// A number for an entry to be.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Looks at an entry where it is; `look` must not keep what it sees.
    #[inline]
    pub(crate) fn look<P: Parts, V: Send + Sync + 'static, T>(
        &self,
        query: &Query<'_, P, V>,
        look: impl FnOnce(&Slot, &Entry<P::Owned, V>) -> T,
    ) -> Option<T> {
        self.index.look(query, look)
    }

    /// The entry of an owned key.
    pub(crate) fn find(&self, key: &dyn AnyKey) -> Option<Slot> {
        self.index.find(key)
    }

    /// Notes a hit for moka, for a few of them.
    #[inline]
    pub(crate) fn sample(&self, meta: &Meta) {
        let reads = meta.reads.load(Ordering::Relaxed);
        // A lost update makes a sample come a little later.
        meta.reads.store(reads.wrapping_add(1), Ordering::Relaxed);
        if reads < 8 || reads.is_multiple_of(32) {
            self.note(meta);
        }
    }

    #[cold]
    fn note(&self, meta: &Meta) {
        let (hash, number) = (meta.hash, meta.number);
        self.reads.note(Id { hash, number });
    }

    /// Tells moka of the hits that were noted.
    fn pass_on(&self) {
        self.reads.pass_on(|id| drop(self.moka.get(&id)));
    }

    /// Tells moka that a key was asked for and not found.
    pub(crate) fn missed(&self, hash: u64) {
        let _ = self.moka.get(&Id { hash, number: 0 });
    }

    /// Puts an entry in, unless a newer one of the same key is there or `allowed` objects, asked
    /// while no other writer of this key can come between.
    pub(crate) fn insert(&self, slot: Slot, allowed: impl FnOnce(Option<&Slot>) -> bool) -> bool {
        self.pass_on();
        let (hash, number) = (slot.0.meta().hash, slot.0.meta().number);
        let _turn = lock(self.writer(hash));
        let old = self.index.find(slot.0.key());
        let newer = old
            .as_ref()
            .is_some_and(|old| old.0.meta().order > slot.0.meta().order);
        if newer || !allowed(old.as_ref()) {
            return false;
        }
        self.index.insert(slot.clone());
        if let Some(old) = old {
            self.moka.invalidate(&Id {
                hash,
                number: old.0.meta().number,
            });
        }
        self.moka.insert(Id { hash, number }, slot);
        true
    }

    /// Takes an entry out, if it is still there.
    pub(crate) fn remove(&self, slot: &Slot) -> bool {
        let meta = slot.0.meta();
        let _turn = lock(self.writer(meta.hash));
        let removed = self.index.remove(&*slot.0);
        self.moka.invalidate(&Id {
            hash: meta.hash,
            number: meta.number,
        });
        removed
    }

    fn writer(&self, hash: u64) -> &Mutex<()> {
        &self.writers[(hash >> 32) as usize % WRITERS]
    }

    /// Takes out every entry that is not to be kept, and lets moka do its own work.
    pub(crate) fn sweep(&self, keep: impl Fn(&Meta) -> bool) -> usize {
        let mut dead = Vec::new();
        self.index.for_each(|slot| {
            if !keep(slot.0.meta()) {
                dead.push(slot.clone());
            }
        });
        let removed = dead.iter().filter(|slot| self.remove(slot)).count();
        self.pass_on();
        self.moka.run_pending_tasks();
        removed
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// How many entries moka holds, and their weight; exact after its own work is done.
    pub(crate) fn settled(&self) -> (u64, u64) {
        self.moka.run_pending_tasks();
        (self.moka.entry_count(), self.moka.weighted_size())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
