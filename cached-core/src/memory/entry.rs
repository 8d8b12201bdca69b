//! One remembered result.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::Began;
use crate::key::{AnyKey, OwnedKey};
use crate::policy::{Deadlines, Times};
use crate::scope::{Scopes, Shared};
use crate::stats::Counters;

/// What an entry knows beside its key and value. There may be millions of them: every word counts,
/// and what is the same for all entries of a function is shared.
pub(crate) struct Meta {
    /// The place of its load among all loads of this cache, above the hits it has had (see
    /// [`super::Memory::sample`]).
    order: AtomicU64,
    /// Before then, there is nothing to think about.
    fresh: AtomicU64,
    /// The tick at which it was last known to be valid; the tick its load began at, first.
    pub(crate) checked: AtomicU64,
    shared: Arc<Shared>,
    pub(crate) counters: Arc<Counters>,
}

/// The bits of the hits. Of the order 48 are left: enough for four years of a million loads a
/// second.
const READS: u32 = 16;

impl Meta {
    pub(crate) fn new(began: Began, times: Times, scopes: Scopes, counters: Arc<Counters>) -> Self {
        Meta {
            order: AtomicU64::new(began.order << READS),
            fresh: AtomicU64::new(times.fresh),
            checked: AtomicU64::new(began.tick),
            shared: scopes.shared(times.windows),
            counters,
        }
    }

    /// The place of its load among all loads of this cache: a later one is not overwritten. No two
    /// entries of one key have the same.
    pub(crate) fn order(&self) -> u64 {
        self.order.load(Ordering::Relaxed) >> READS
    }

    /// Its hits, up to a few.
    #[inline]
    pub(super) fn reads(&self) -> u16 {
        self.order.load(Ordering::Relaxed) as u16
    }

    /// Of two at once, one may be lost.
    pub(super) fn set_reads(&self, reads: u16) {
        let order = self.order() << READS;
        self.order
            .store(order | u64::from(reads), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn times(&self) -> Deadlines<'_> {
        Deadlines {
            fresh: &self.fresh,
            windows: self.shared.windows(),
        }
    }

    /// Its scopes but that of its key.
    pub(crate) fn scopes(&self) -> &Shared {
        &self.shared
    }

    /// How many bytes it takes that are not shared.
    pub(crate) fn bytes(&self) -> usize {
        Shared::bytes(&self.shared)
    }
}

/// An entry whose types are known.
pub(crate) struct Entry<K, V> {
    pub(crate) meta: Meta,
    pub(crate) key: OwnedKey<K>,
    pub(crate) value: V,
}

/// An entry whose types are forgotten.
pub(crate) trait AnyEntry: Any + Send + Sync {
    fn meta(&self) -> &Meta;
    fn key(&self) -> &dyn AnyKey;
    fn value(&self) -> &dyn Any;
    /// What all entries of its type take.
    fn size(&self) -> usize;
}

impl<K: Eq + Send + Sync + 'static, V: Send + Sync + 'static> AnyEntry for Entry<K, V> {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn key(&self) -> &dyn AnyKey {
        &self.key
    }

    fn value(&self) -> &dyn Any {
        &self.value
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}
