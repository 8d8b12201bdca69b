//! How a shared store is.

use std::time::Duration;

use super::failure::StoreFailure;
use super::memory::StoreMemory;
use super::tier::Tier;
use crate::sync::lock;

/// How a cache's shared store is, for people and dashboards; made by
/// [`Cache::store_status`](crate::Cache::store_status).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreStatus {
    /// What it is and where; no credentials.
    pub store: String,
    /// Whether it answers.
    pub health: Health,
    /// What went wrong last, whether or not it has answered since; none if nothing has.
    pub last_failure: Option<StoreFailure>,
    /// How it tells other processes of invalidations: whether that works now; none if it cannot.
    pub push: Option<bool>,
    /// How long ago something was heard from any process, this one included.
    pub last_heard: Option<Duration>,
    /// Scopes whose invalidation has not reached it yet; they are tried again.
    pub undelivered: usize,
    /// What its server holds, as it said when it was last asked by
    /// [`Cache::refresh_store_memory`](crate::Cache::refresh_store_memory).
    pub memory: Option<StoreMemory>,
    /// Functions whose results, all or some of them, cannot be serialised, and stay in this process'
    /// memory.
    pub memory_only: Vec<&'static str>,
}

/// Whether a store answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It does, as far as anybody has asked.
    Up,
    /// It does not: it is left alone, and asked again now and then.
    Down,
    /// It did not, and one operation is under way to find out whether it does again; all others leave
    /// it alone.
    HalfOpen,
}

#[cfg(feature = "dashboard")]
impl Tier {
    /// The settings of the store by their names, without keys.
    pub(crate) fn configuration(&self) -> Vec<crate::cache::description::Said> {
        use crate::cache::description::time;

        let (writing, limits) = (self.writing(), self.guard.limits());
        let compression = match writing.compress_from {
            Some(bytes) => format!("from {bytes} bytes on"),
            None => "off".to_owned(),
        };
        let sealing = if writing.keys.is_empty() { "off" } else { "on" };
        vec![
            ("namespace", self.namespace.clone()),
            ("format", format!("{:?}", writing.format).to_lowercase()),
            ("compression", compression),
            ("sealing", sealing.to_owned()),
            ("store timeout", time(limits.operation)),
            ("store budget of a call", time(limits.call)),
            ("memory copies", time(self.copies)),
            ("lease", time(self.lease)),
        ]
    }
}

impl Tier {
    pub(crate) fn status(&self, memory_only: Vec<&'static str>) -> StoreStatus {
        let pushes = self.store().push().is_some();
        let silence = (self.guard.clock().now()).saturating_sub(self.channel.heard());
        StoreStatus {
            store: self.store().describe(),
            health: self.guard.health(),
            last_failure: self.guard.last_failure(),
            push: pushes.then(|| self.channel.is_up()),
            last_heard: pushes.then(|| Duration::from_nanos(silence)),
            memory: self.memory.get(),
            undelivered: lock(&self.journal).len(),
            memory_only,
        }
    }
}
