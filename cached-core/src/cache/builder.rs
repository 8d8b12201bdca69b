//! Describing a cache.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::{Cache, registry};
use crate::clock::{Clock, ManualClock, NEVER, nanos};
use crate::engine::{Engine, Parts};
use crate::error::Error;
use crate::fragment::Markup;
use crate::memory::{AnyEntry, Limit, Memory};
use crate::rt::{Ambient, Runtime};
use crate::stats::Counters;
use crate::watch::{BY_HAND, Event, EventKeys, EventKind, EvictionReason, Hook, Watch};

/// Which store is behind a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// This process' memory.
    #[default]
    Memory,
    /// None: caching is off, every call runs its body.
    Null,
}

/// Describes a cache; made by [`Cache::builder`].
///
/// ```
/// use dewar::Cache;
/// use std::time::Duration;
///
/// let sessions = Cache::builder()
///     .name("sessions")
///     .max_bytes(64 << 20)
///     .default_timeout(Duration::from_secs(1800))
///     .register()?;
/// assert_eq!(sessions.name(), "sessions");
/// # Ok::<(), dewar::Error>(())
/// ```
#[must_use]
pub struct CacheBuilder {
    name: String,
    store: StoreKind,
    limit: Limit,
    limits_given: u8,
    page_bytes: Option<u64>,
    default_timeout: u64,
    wait_limit: Duration,
    scopes: usize,
    clock: Clock,
    runtime: Arc<dyn Runtime>,
    weigher: Option<UserWeigher>,
    hooks: Vec<Hook>,
    pub(super) event_keys: EventKeys,
    #[cfg(feature = "stores")]
    pub(super) shared: super::shared::Shared,
}

type UserWeigher = Arc<dyn Fn(&dyn Any) -> Option<usize> + Send + Sync>;

/// Entries that a cache holds at most, if nothing is said.
pub(crate) const DEFAULT_ENTRIES: u64 = 10_000;
/// Bytes that pages take at most in a cache that is bounded by entries, if nothing is said.
const DEFAULT_PAGE_BYTES: u64 = 64 << 20;
/// The timeout of entries that are given none.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

impl Default for CacheBuilder {
    fn default() -> Self {
        CacheBuilder {
            name: "default".into(),
            store: StoreKind::Memory,
            limit: Limit::Entries(DEFAULT_ENTRIES),
            limits_given: 0,
            page_bytes: None,
            default_timeout: nanos(DEFAULT_TIMEOUT),
            wait_limit: Duration::from_secs(60),
            scopes: 65_536,
            clock: Clock::System,
            runtime: Arc::new(Ambient),
            weigher: None,
            hooks: Vec::new(),
            event_keys: EventKeys::default(),
            #[cfg(feature = "stores")]
            shared: super::shared::Shared::default(),
        }
    }
}

impl CacheBuilder {
    /// The name under which functions (`cache = "name"`) and statistics know it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The store behind it.
    pub fn store(mut self, store: StoreKind) -> Self {
        self.store = store;
        self
    }

    /// At most so many entries; 10,000 if nothing is said.
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.limit = Limit::Entries(entries);
        self.limits_given |= 1;
        self
    }

    /// At most so many bytes, as [`weigher`](CacheBuilder::weigher) counts them.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.limit = Limit::Bytes(bytes);
        self.limits_given |= 2;
        self
    }

    /// At most so many bytes for pages, which is what views and
    /// [`CacheLayer`](crate::http::CacheLayer) store; 64 MiB if nothing is said and the cache is
    /// bounded by entries.
    ///
    /// A page counts as one entry as well, whatever its size. In a cache that is bounded by
    /// [`max_bytes`](Self::max_bytes) pages take what there is, unless this says less. A page that
    /// is larger than all of it is not kept.
    ///
    /// ```
    /// use dewar::Cache;
    ///
    /// let cache = Cache::builder().max_entries(50_000).max_page_bytes(256 << 20).build()?;
    /// # Ok::<(), dewar::Error>(())
    /// ```
    #[cfg(feature = "tower")]
    pub fn max_page_bytes(mut self, bytes: u64) -> Self {
        self.page_bytes = Some(bytes);
        self
    }

    /// How many bytes a value of type `V` has on the heap, for [`max_bytes`](Self::max_bytes).
    ///
    /// May be called once for each type. Without it an entry weighs what its types say
    /// (`size_of`) plus the length of `String`s, `Vec<u8>`s and `Arc<str>`s.
    ///
    /// Where it panics, the value is not stored, and what it was to replace is taken out; the call
    /// goes on, and the panic is logged.
    pub fn weigher<V: 'static>(
        mut self,
        weigh: impl Fn(&V) -> usize + Send + Sync + 'static,
    ) -> Self {
        let before = self.weigher.take();
        self.weigher = Some(Arc::new(move |value| match value.downcast_ref::<V>() {
            Some(value) => Some(weigh(value)),
            None => before.as_ref().and_then(|before| before(value)),
        }));
        self
    }

    /// The timeout of entries that are given none; 300 seconds if nothing is said.
    pub fn default_timeout(mut self, timeout: Duration) -> Self {
        self.default_timeout = nanos(timeout);
        self
    }

    /// Entries that are given no timeout stay until they are invalidated or evicted.
    pub fn never_expire(mut self) -> Self {
        self.default_timeout = NEVER;
        self
    }

    /// How long a caller waits for another caller's load before it loads for itself; 60 seconds if
    /// nothing is said.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.wait_limit = wait;
        self
    }

    /// How many invalidated scopes are remembered one by one; 65,536 if nothing is said. What is
    /// invalidated beyond that costs further entries their place, never their correctness.
    pub fn remembered_invalidations(mut self, scopes: usize) -> Self {
        self.scopes = scopes;
        self
    }

    /// Where background loads run.
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.runtime = Arc::new(runtime);
        self
    }

    /// Is told what the cache does; may be called several times.
    ///
    /// Hooks run on a thread of their own and never hold a call up. Where they are slower than the
    /// cache, events are dropped, and counted by [`Cache::dropped_events`]; a hook that panics is
    /// called again with the next event. While there is a hook a hit costs what telling of it costs
    /// (half a microsecond or so); without one, nothing.
    ///
    /// ```
    /// use dewar::{Cache, EventKind};
    /// use std::sync::mpsc;
    ///
    /// let (sender, events) = mpsc::channel();
    /// let cache = Cache::builder().on_event(move |event| drop(sender.send(event.clone()))).build()?;
    /// cache.blocking().set("greeting", 1, dewar::Expiry::Default)?;
    /// assert_eq!(events.recv().unwrap().kind, EventKind::Stored);
    /// # Ok::<(), dewar::Error>(())
    /// ```
    pub fn on_event(mut self, hook: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// How much of keys is told to hooks, in reports and on the dashboard; prefixes, and a number
    /// for the arguments, if nothing is said.
    pub fn event_keys(mut self, keys: EventKeys) -> Self {
        self.event_keys = keys;
        self
    }

    /// A clock that a test moves by hand.
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = Clock::Manual(clock);
        self
    }

    /// Makes the cache.
    ///
    /// # Errors
    /// A setting that cannot be meant: the message names it, what was given, and what is accepted.
    pub fn build(self) -> Result<Cache, Error> {
        self.check()?;
        let (keys, hooks) = (self.event_keys, self.hooks.clone());
        let watch = Arc::new(Watch::new(&self.name, keys, hooks, self.clock.clone()));
        let counters = Arc::new(Counters::of(BY_HAND, Some(Arc::clone(&watch))));
        let memory = match self.store {
            StoreKind::Null => None,
            StoreKind::Memory => Some(self.memory()),
        };
        #[cfg(feature = "stores")]
        let tier = self.shared.tier(&self.name, &self.clock, &counters)?;
        Ok(Cache::from_engine(Engine::new(Parts {
            #[cfg(feature = "stores")]
            tier,
            name: self.name,
            memory,
            clock: self.clock,
            runtime: self.runtime,
            default_timeout: self.default_timeout,
            wait_limit: nanos(self.wait_limit),
            scopes: self.scopes,
            counters,
            watch,
        })))
    }

    /// Makes the cache and registers it under its name, for `cache = "name"`.
    ///
    /// # Errors
    /// As [`build`](Self::build), and a name that is registered already.
    pub fn register(self) -> Result<Cache, Error> {
        registry::register(self.build()?)
    }

    /// Makes the cache and has it be the default one.
    ///
    /// # Errors
    /// As [`build`](Self::build), and a default cache that was configured before.
    pub fn install(self) -> Result<Cache, Error> {
        registry::install(self.build()?)
    }

    fn check(&self) -> Result<(), Error> {
        if self.limits_given == 3 {
            return Err(Error::config(
                "max_bytes",
                "is given together with `max_entries`: give one of them",
            ));
        }
        match (self.limit, self.page_bytes) {
            (_, Some(0)) => {
                return Err(Error::config(
                    "max_page_bytes",
                    "is 0: give at least 1; what is not to be stored has no `CacheLayer` and no `#[cached(view)]`",
                ));
            }
            (Limit::Bytes(all), Some(pages)) if pages > all => {
                return Err(Error::config(
                    "max_page_bytes",
                    format!(
                        "is {pages}, more than `max_bytes`, which is {all}: give less, or none"
                    ),
                ));
            }
            _ => {}
        }
        match self.limit {
            Limit::Entries(0) => Err(Error::config(
                "max_entries",
                "is 0: give at least 1, or switch caching off with the store `null`",
            )),
            Limit::Bytes(0) => Err(Error::config(
                "max_bytes",
                "is 0: give at least 1, or switch caching off with the store `null`",
            )),
            _ if self.default_timeout == 0 => Err(Error::config(
                "default_timeout",
                "is 0: give a duration, or `never_expire()` for no timeout, or the store `null` to switch caching off",
            )),
            _ if self.wait_limit.is_zero() => Err(Error::config(
                "max_wait",
                "is 0: give a duration; a function that is not to wait says `single_flight = false`",
            )),
            _ if self.scopes == 0 => Err(Error::config(
                "remembered_invalidations",
                "is 0: give at least 1",
            )),
            _ if self.name.is_empty() => Err(Error::config(
                "name",
                "is empty: give a name, or none at all",
            )),
            _ => Ok(()),
        }
    }

    /// What pages may take together.
    fn page_bytes(&self) -> Option<u64> {
        match self.limit {
            _ if cfg!(not(feature = "tower")) => None,
            Limit::Entries(_) => Some(self.page_bytes.unwrap_or(DEFAULT_PAGE_BYTES)),
            Limit::Bytes(_) => self.page_bytes,
        }
    }

    fn memory(&self) -> Memory {
        let weigher = self.weigher.clone();
        Memory::new(
            self.limit,
            self.page_bytes(),
            Arc::new(move |entry, heap| weigh(entry, heap, weigher.as_ref())),
            Arc::new(move |slot| {
                let counters = &slot.meta().counters;
                counters.evictions.one();
                counters.tell(slot.named(), || EventKind::Evicted(EvictionReason::Size));
            }),
        )
    }
}

/// What an entry weighs in bytes, the index's and moka's own records included.
fn weigh(entry: &dyn AnyEntry, key: usize, user: Option<&UserWeigher>) -> u32 {
    const RECORDS: usize = 280;
    let heap = user
        .and_then(|user| user(entry.value()))
        .or_else(|| text_length(entry.value()))
        .unwrap_or(0);
    let own = entry.size() + entry.meta().bytes() + RECORDS;
    let bytes = own.saturating_add(key).saturating_add(heap);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn text_length(value: &dyn Any) -> Option<usize> {
    let text = value.downcast_ref::<String>().map(String::len);
    let text = text.or_else(|| {
        value
            .downcast_ref::<Option<String>>()?
            .as_ref()
            .map(String::len)
    });
    let text = text.or_else(|| value.downcast_ref::<Arc<str>>().map(|text| text.len()));
    let text = text.or_else(|| value.downcast_ref::<Markup>().map(|text| text.0.len()));
    text.or_else(|| value.downcast_ref::<Vec<u8>>().map(Vec::len))
}
