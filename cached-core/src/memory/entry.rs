//! One remembered result.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};

use super::Id;
use crate::key::{AnyKey, OwnedKey};
use crate::policy::Times;
use crate::scope::Scopes;
use crate::stats::Counters;

/// What an entry knows beside its key and value.
pub(crate) struct Meta {
    /// Never used again in this cache.
    pub(crate) number: u64,
    pub(crate) hash: u64,
    /// The place of its load among all loads of this cache: a later one is not overwritten.
    pub(crate) order: u64,
    pub(crate) times: Times,
    pub(crate) scopes: Scopes,
    /// The tick at which it was last known to be valid; the tick its load began at, first.
    pub(crate) checked: AtomicU64,
    /// Hits, up to a few.
    pub(crate) reads: AtomicU32,
    pub(crate) counters: Arc<Counters>,
    /// The length of the value and key together, in bytes, as far as their types tell.
    pub(crate) bytes: usize,
}

impl Meta {
    /// moka's name for the entry.
    pub(super) fn id(&self) -> Id {
        Id {
            hash: self.hash,
            number: self.number,
        }
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
}
