//! The memory tier: moka decides, an index answers.
//!
//! A lock-free map from key to entry answers reads. moka holds the same entries under names
//! ([`Id`]), bounds them, and tells through its eviction listener which of them to take out of the
//! map. Reads are reported to moka sparsely, the first few of an entry each time that a part of all
//! entries has been replaced, and only before something is inserted ([`reads`]); its frequency sketch saturates at 15 anyway.
//! No code of a user's runs under a lock or inside moka ([`slot`]): a panic in a weigher, or in a
//! value's `Drop`, concerns that value alone.
//!
//! # How the two cannot drift apart
//! An entry has a name that is not used again, made of its key's hash and the order of its load, and
//! moka knows it by that name alone. Writers
//! of one key take turns (a stripe of locks): each puts its entry into the map, takes the one it
//! replaced out of moka, and then gives its own to moka. Whatever moka then does with a name, at
//! once or later, concerns exactly the entry that has it: the listener removes an entry from the
//! map only if it still is the one with that name. So the map never holds what moka has let go,
//! and moka never holds what the map has replaced. The listener takes no lock but that of the
//! account of entries and bytes ([`tally`]), under which nothing else is done, and that of the notes
//! of pages that are gone: a bound of bytes holds for pages too ([`pages`]).

mod entry;
mod index;
mod pages;
mod reads;
mod slot;
mod tally;

pub(crate) use entry::{AnyEntry, Entry, Meta};
pub(crate) use index::{Identity, Query};
pub(crate) use slot::Slot;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use moka::notification::RemovalCause;

use index::Index;
use pages::Pages;
use reads::Reads;
use slot::Section;
use tally::Tally;

use crate::key::{AnyKey, Parts};
use crate::sync::lock;
use crate::watch::Named;

/// How many entries, or how many bytes, may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Entries(u64),
    Bytes(u64),
}

/// From an entry and the bytes of its key beyond its type's size.
type Weigher = Arc<dyn Fn(&dyn AnyEntry, usize) -> u32 + Send + Sync>;
type OnEvict = Arc<dyn Fn(&Slot) + Send + Sync>;

/// Says that an entry was evicted.
fn tell(evicted: &OnEvict, slot: &Slot) {
    let _ = catch_unwind(AssertUnwindSafe(|| evicted(slot)));
}

/// How many hits of an entry are passed on in an epoch.
const FIRST: u16 = 4;
/// The bits that count them; those above are the epoch's.
const FIRSTS: u16 = 15;
/// An epoch ends when one in so many entries has been replaced.
const PART: usize = 16;

/// moka's name for an entry: the upper half of the key's hash, so that its sketch counts the key,
/// and the lower half of the order. Both maps go by the first half alone.
///
/// Two entries would have the same name if four thousand million loads lay between them, and half
/// of their hashes were equal; then one of them may leave the index when moka lets go of the other.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Id(u64);

impl Id {
    #[inline]
    fn new(hash: u64, order: u64) -> Self {
        Id(hash >> 32 << 32 | order & 0xFFFF_FFFF)
    }

    /// Where to look for the entry of a key: 32 bits, spread out again.
    #[inline]
    fn place(hash: u64) -> u64 {
        (hash >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

impl std::hash::Hash for Id {
    #[inline]
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(Id::place(self.0));
    }
}

/// From so many bytes on, what an entry takes the place of is not left to lie about.
const LARGE: Weight = 16 * 1024;

/// What an entry takes in bytes.
type Weight = u32;

/// Goes on when a part of all entries has been replaced; for itself, as every hit looks at it.
#[derive(Default)]
#[repr(align(128))]
struct Epoch(AtomicU16);

/// The entries of one cache.
pub(crate) struct Memory {
    index: Arc<Index>,
    moka: moka::sync::Cache<Id, Weight, Identity>,
    weigher: Weigher,
    /// The bound is one of bytes.
    by_bytes: bool,
    tally: Arc<Tally>,
    pages: Option<Arc<Pages>>,
    evicted: OnEvict,
    reads: Reads,
    epoch: Epoch,
    /// The entry at which the epoch began.
    since: AtomicU64,
    writers: Box<[Mutex<()>]>,
}

const WRITERS: usize = 64;

impl Memory {
    /// `pages` are the bytes that pages may take together.
    pub(crate) fn new(
        limit: Limit,
        pages: Option<u64>,
        weigher: Weigher,
        evicted: OnEvict,
    ) -> Self {
        let index = Arc::new(Index::default());
        let tally: Arc<Tally> = Arc::default();
        // Weak: the two know each other.
        let pages_of: Arc<OnceLock<Weak<Pages>>> = Arc::default();
        let listener = {
            let (index, evicted) = (Arc::clone(&index), Arc::clone(&evicted));
            let (tally, pages) = (Arc::clone(&tally), Arc::clone(&pages_of));
            move |id: Arc<Id>, weight: Weight, cause: RemovalCause| {
                // What was taken out on purpose is settled by who did so.
                if cause != RemovalCause::Explicit
                    && let Some(slot) = tally.let_go(&index, *id, weight)
                    && cause.was_evicted()
                {
                    if let Some(pages) = pages.get().and_then(Weak::upgrade) {
                        pages.note_gone(*id);
                    }
                    // moka would drop a listener that panics for good.
                    tell(&evicted, &slot);
                }
            }
        };
        let builder = moka::sync::Cache::builder().eviction_listener(listener);
        let (builder, by_bytes) = match limit {
            Limit::Entries(most) => (builder.max_capacity(most), false),
            Limit::Bytes(most) => {
                let builder = builder.max_capacity(most).weigher(|_, weight| *weight);
                (builder, true)
            }
        };
        let moka = builder.build_with_hasher(Identity::default());
        let pages = pages.map(|most| {
            let (index, evicted) = (Arc::clone(&index), Arc::clone(&evicted));
            let (tally, moka) = (Arc::clone(&tally), moka.clone());
            let let_go = move |id: Id| {
                // Where somebody else takes it out at this moment, that is settled there.
                if let Some(slot) = index.remove(id) {
                    tally.went(&slot, moka.remove(&id));
                    tell(&evicted, &slot);
                }
            };
            let pages = Arc::new(Pages::new(most, Arc::new(let_go)));
            let _ = pages_of.set(Arc::downgrade(&pages));
            pages
        });
        Memory {
            index,
            moka,
            weigher,
            by_bytes,
            tally,
            pages,
            evicted,
            reads: Reads::default(),
            epoch: Epoch::default(),
            since: AtomicU64::new(0),
            writers: (0..WRITERS).map(|_| Mutex::default()).collect(),
        }
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

    /// Notes a hit for moka, if it is one of the first of its entry in this epoch. While nothing is
    /// replaced, an entry that is read is not written to.
    #[inline]
    pub(crate) fn sample(&self, meta: &Meta, hash: u64) {
        let epoch = self.epoch.0.load(Ordering::Relaxed);
        let reads = meta.reads();
        if reads != epoch | FIRST {
            self.note(meta, hash, epoch, reads);
        }
    }

    #[cold]
    #[inline(never)]
    fn note(&self, meta: &Meta, hash: u64, epoch: u16, reads: u16) {
        let prefix = meta.scopes().prefix();
        let watched = meta.counters.tell_hit(Named { prefix, hash });
        let next = if reads & !FIRSTS == epoch {
            reads + 1
        } else {
            epoch | 1
        };
        // While somebody is told of hits, there is always one more of interest.
        if watched && next == epoch | FIRST {
            return;
        }
        meta.set_reads(next);
        self.reads.note(Id::new(hash, meta.order()));
    }

    /// Has the next hits of every entry be noted again.
    pub(crate) fn note_all(&self) {
        self.epoch.0.fetch_add(FIRSTS + 1, Ordering::Relaxed);
    }

    /// Counts an insertion: after enough of them, the hits of every entry are of interest again.
    fn inserted(&self, order: u64) {
        let begun = self.since.load(Ordering::Relaxed);
        if order.saturating_sub(begun) > (self.index.len() / PART) as u64 {
            self.since.store(order, Ordering::Relaxed);
            self.note_all();
        }
    }

    /// Tells moka of the hits that were noted.
    fn pass_on(&self) {
        self.reads.pass_on(|id| {
            let _ = self.moka.get(&id);
            if let Some(pages) = &self.pages {
                pages.read(id);
            }
        });
    }

    /// Tells moka that a key was asked for and not found.
    pub(crate) fn missed(&self, hash: u64) {
        let _section = Section::enter();
        let _ = self.moka.get(&Id::new(hash, 0));
    }

    /// The same of a page.
    #[cfg(feature = "tower")]
    pub(crate) fn missed_page(&self, hash: u64) {
        let _section = Section::enter();
        let id = Id::new(hash, 0);
        let _ = self.moka.get(&id);
        if let Some(pages) = &self.pages {
            pages.missed(id);
        }
    }

    /// What an entry takes in bytes; none if its weigher panics where the bound is one of bytes.
    fn weigh(&self, slot: &Slot, heap: usize) -> Option<Weight> {
        let weight = catch_unwind(AssertUnwindSafe(|| (self.weigher)(slot.erased(), heap)));
        if !self.by_bytes {
            return Some(weight.unwrap_or(0));
        }
        weight
            .inspect_err(|_| crate::trace::weigher_panicked())
            .ok()
    }

    /// Puts an entry in, unless a newer one of the same key is there or `allowed` objects, asked
    /// while no other writer of this key can come between. `heap` are the bytes of its key beyond
    /// its type's size.
    pub(crate) fn insert(
        &self,
        slot: Slot,
        heap: usize,
        allowed: impl FnOnce(Option<&Slot>) -> bool,
    ) -> bool {
        self.put(slot, heap, false, allowed)
    }

    /// The same for a page, of which there is a bound of its own.
    #[cfg(feature = "tower")]
    pub(crate) fn insert_page(
        &self,
        slot: Slot,
        heap: usize,
        allowed: impl FnOnce(Option<&Slot>) -> bool,
    ) -> bool {
        self.put(slot, heap, true, allowed)
    }

    #[inline]
    fn put(
        &self,
        slot: Slot,
        heap: usize,
        is_page: bool,
        allowed: impl FnOnce(Option<&Slot>) -> bool,
    ) -> bool {
        let order = slot.meta().order();
        let Some(weight) = self.weigh(&slot, heap) else {
            // What it was to replace is not what should be served any more.
            if let Some(old) = self.index.find(slot.key())
                && old.meta().order() < order
            {
                self.remove(&old);
            }
            return false;
        };
        let _section = Section::enter();
        self.pass_on();
        let id = slot.id();
        let _turn = lock(self.writer(slot.key().hash()));
        let (old, oldest) = self.index.find_or_crowded(slot.key());
        // One of the same order comes from the same load.
        let newer = old.as_ref().is_some_and(|old| old.meta().order() >= order);
        if newer || !allowed(old.as_ref()) {
            return false;
        }
        if let Some(oldest) = oldest {
            self.make_room(&oldest);
        }
        Tally::came(&slot, weight);
        let replaced = self.index.insert(slot);
        if let Some(old) = old {
            let weight = self.moka.remove(&old.id());
            self.tally.taken(&old, replaced, weight);
            self.page_went(old.id());
        }
        self.moka.insert(id, weight);
        if let (Some(pages), true) = (&self.pages, is_page) {
            pages.came(id, weight, || self.index.has(id));
        }
        self.inserted(order);
        if weight >= LARGE || is_page {
            self.index.flush();
        }
        true
    }

    /// Evicts an entry whose hash too many have; its place's writer has the turn.
    fn make_room(&self, oldest: &Slot) {
        if self.let_go(oldest) {
            tell(&self.evicted, oldest);
        }
    }

    /// Takes an entry out of both maps; says whether it was still there. Its key's writer has the
    /// turn.
    fn let_go(&self, slot: &Slot) -> bool {
        let id = slot.id();
        let removed = self.index.remove(id).is_some();
        let weight = self.moka.remove(&id);
        self.tally.taken(slot, removed, weight);
        self.page_went(id);
        removed
    }

    fn page_went(&self, id: Id) {
        if let Some(pages) = &self.pages {
            pages.went(id);
        }
    }

    fn settle_pages(&self) {
        if let Some(pages) = &self.pages {
            pages.settle();
        }
    }

    /// Takes an entry out, if it is still there.
    pub(crate) fn remove(&self, slot: &Slot) -> bool {
        let _section = Section::enter();
        let _turn = lock(self.writer(slot.key().hash()));
        self.let_go(slot)
    }

    /// Takes out the entry of a key, judged while no writer of this key can come between; says what
    /// `judge` said of it.
    pub(crate) fn take<T>(&self, key: &dyn AnyKey, judge: impl FnOnce(Option<&Slot>) -> T) -> T {
        self.hold(key, |slot| {
            let judged = judge(slot);
            if let Some(slot) = slot {
                self.let_go(slot);
            }
            judged
        })
    }

    /// Looks at the entry of a key while no writer of this key can come between.
    pub(crate) fn hold<T>(&self, key: &dyn AnyKey, look: impl FnOnce(Option<&Slot>) -> T) -> T {
        let _section = Section::enter();
        let _turn = lock(self.writer(key.hash()));
        look(self.index.find(key).as_ref())
    }

    fn writer(&self, hash: u64) -> &Mutex<()> {
        &self.writers[(hash >> 32) as usize % WRITERS]
    }

    /// Takes out every entry that is not to be kept, and lets moka do its own work.
    pub(crate) fn sweep(&self, keep: impl Fn(&Slot) -> bool) -> usize {
        let _section = Section::enter();
        let mut dead = Vec::new();
        self.index.for_each(|slot| {
            if !keep(slot) {
                dead.push(slot.clone());
            }
        });
        let removed = dead.iter().filter(|slot| self.remove(slot)).count();
        self.pass_on();
        self.moka.run_pending_tasks();
        self.settle_pages();
        drop(dead);
        self.index.flush();
        removed
    }

    /// The bound, for people.
    #[cfg(feature = "dashboard")]
    pub(crate) fn limit(&self) -> String {
        let most = self.moka.policy().max_capacity().unwrap_or(u64::MAX);
        let unit = if self.by_bytes { "bytes" } else { "entries" };
        format!("{most} {unit}")
    }

    /// That of pages, if they have one.
    #[cfg(feature = "dashboard")]
    pub(crate) fn page_limit(&self) -> Option<String> {
        let pages = self.pages.as_ref()?;
        Some(format!("{} bytes", pages.most))
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// How many entries moka holds, and their weight; exact after its own work is done.
    pub(crate) fn settled(&self) -> (u64, u64) {
        let _section = Section::enter();
        self.settle_pages();
        self.moka.run_pending_tasks();
        (self.moka.entry_count(), self.moka.weighted_size())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(all(test, feature = "tower"))]
mod pages_tests;
