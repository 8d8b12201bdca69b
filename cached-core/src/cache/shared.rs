//! What is said of a shared store when a cache is described.

use std::sync::Arc;
use std::time::Duration;

use super::builder::CacheBuilder;
use crate::clock::{Clock, nanos};
use crate::codec::{Format, Writing};
use crate::error::Error;
use crate::stats::Counters;
use crate::store::Store;
use crate::store::guard::Limits;
use crate::store::tier::{Settings, Tier};

/// The longest namespace: with it, keys stay within what any store takes.
const LONGEST: usize = 64;

#[derive(Default)]
pub(super) struct Shared {
    pub(super) store: Option<Arc<dyn Store>>,
    namespace: Option<String>,
    timeout: Option<Duration>,
    pub(super) budget: Option<Duration>,
    pub(super) copies: Option<Duration>,
    pub(super) lease: Option<Duration>,
    writing: Writing,
    /// `seal` was given no keys.
    #[cfg(feature = "seal")]
    unsealed: bool,
    check: bool,
}

impl Shared {
    pub(super) fn tier(
        &self,
        cache: &str,
        clock: &Clock,
        counters: &Arc<Counters>,
    ) -> Result<Option<Arc<Tier>>, Error> {
        #[cfg(feature = "seal")]
        if self.unsealed {
            let what = "has no keys, and nothing would be sealed: give one at least";
            return Err(Error::config("seal", what));
        }
        let Some(store) = self.store.clone() else {
            return Ok(None);
        };
        let operation = self.timeout.unwrap_or(Duration::from_millis(500));
        let call = self.budget.unwrap_or(operation.saturating_mul(2));
        let copies = self.copies.unwrap_or(Duration::from_secs(5));
        let lease = self.lease.unwrap_or(Duration::from_secs(10));
        for (setting, time) in [
            ("store_timeout", operation),
            ("store_budget", call),
            ("lease", lease),
        ] {
            if time.is_zero() {
                return Err(Error::config(setting, "is 0: give a duration"));
            }
        }
        let settings = Settings {
            namespace: self.namespace(cache)?,
            writing: self.writing.clone(),
            limits: Limits {
                operation: nanos(operation),
                call: nanos(call),
            },
            copies: nanos(copies),
            lease: nanos(lease),
        };
        let (clock, counters) = (clock.clone(), Arc::clone(counters));
        let tier = Tier::new(store, clock, counters, settings);
        if self.check {
            crate::rt::block_on(tier.check())?;
        }
        Ok(Some(Arc::new(tier)))
    }

    fn namespace(&self, cache: &str) -> Result<String, Error> {
        match (&self.namespace, cache) {
            (Some(given), _) => namespace("namespace", given),
            (None, "default") => namespace("namespace", "dewar"),
            (None, cache) => namespace("namespace", &format!("dewar.{cache}")),
        }
    }
}

/// A namespace that a setting of this name gives.
pub(super) fn namespace(setting: &str, given: &str) -> Result<String, Error> {
    let namespace = given.trim_end_matches(':');
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '{' | '}');
    if namespace.is_empty() || namespace.len() > LONGEST || !namespace.chars().all(plain) {
        let given = Error::shown(given);
        let what = format!(
            "is `{given}`: give 1 to {LONGEST} ASCII characters, without spaces and braces"
        );
        return Err(Error::config(setting, what));
    }
    Ok(namespace.to_owned())
}

impl CacheBuilder {
    /// A store that several processes share, behind this process' memory.
    pub fn shared(mut self, store: impl Store) -> Self {
        self.shared.store = Some(Arc::new(store));
        self
    }

    /// What keys on the shared store begin with. If nothing is said, it is `dewar` for the default
    /// cache and `dewar.` with its name for any other: two caches with one namespace are one.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.shared.namespace = Some(namespace.into());
        self
    }

    /// How long one operation of the shared store may take; 500 milliseconds if nothing is said.
    pub fn store_timeout(mut self, limit: Duration) -> Self {
        self.shared.timeout = Some(limit);
        self
    }

    /// How long one call may spend on the shared store, all its operations taken together; twice
    /// [`store_timeout`](Self::store_timeout) if nothing is said.
    pub fn store_budget(mut self, budget: Duration) -> Self {
        self.shared.budget = Some(budget);
        self
    }

    /// How long memory serves a copy of what the shared store has while this process cannot be told
    /// that it was invalidated elsewhere: always where the store cannot push, else while the channel
    /// is down. An invalidation by another process is seen after that time at the latest. 5 seconds
    /// if nothing is said; with zero, memory serves no copies and every read asks the store.
    pub fn memory_copies(mut self, time: Duration) -> Self {
        self.shared.copies = Some(time);
        self
    }

    /// How long one process may load what others wait for, with `single_flight = "distributed"`: one
    /// that crashes delays them by so much at most. Longer than loads take; 10 seconds if nothing is
    /// said.
    pub fn lease(mut self, time: Duration) -> Self {
        self.shared.lease = Some(time);
        self
    }

    /// Has [`build`](Self::build) fail if the shared store cannot be written and read. Without this
    /// the cache is made all the same, works without the store for as long as it has to, and says
    /// so.
    pub fn check_store(mut self) -> Self {
        self.shared.check = true;
        self
    }

    /// How values are serialised on the shared store; as JSON if nothing is said.
    pub fn format(mut self, format: Format) -> Self {
        self.shared.writing.format = format;
        self
    }

    /// Values of so many bytes or more are compressed on the shared store, where that makes them
    /// smaller.
    #[cfg(feature = "compress")]
    pub fn compress_from(mut self, bytes: usize) -> Self {
        self.shared.writing.compress_from = Some(bytes);
        self
    }

    /// Values are encrypted on the shared store, and nothing is read that was not. The first key
    /// seals, all of them open: to change the key, put the new one last, then first, then leave the
    /// old one out, restarting all processes each time. Without any key, [`build`](Self::build) fails.
    #[cfg(feature = "seal")]
    pub fn seal(mut self, keys: impl IntoIterator<Item = crate::codec::SealKey>) -> Self {
        let keys = crate::codec::seal::Keys::new(keys.into_iter().collect());
        self.shared.unsealed = keys.is_empty();
        self.shared.writing.keys = keys;
        self
    }
}
