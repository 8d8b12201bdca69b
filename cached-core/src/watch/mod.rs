//! Who is told what a cache does: hooks, the list of recent operations, the report of a request.
//!
//! Nobody is told while nobody has asked, which costs one relaxed load beyond a hit and nothing on
//! one. Hits are told of from the rare branch in which the memory tier notes them for moka
//! (`memory::Memory::sample`): while somebody is told, an entry stays in that branch.

mod event;
mod hooks;
mod recent;
pub(crate) mod report;

pub use event::{Event, EventKeys, EventKind, EvictionReason, MissReason};
pub(crate) use hooks::Hooks;
pub use recent::Operation;
pub use report::Report;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use crate::clock::{Clock, Nanos};
use recent::Recent;

/// A hook of a user's.
pub(crate) type Hook = Arc<dyn Fn(&Event) + Send + Sync>;

/// What operations by hand are called.
pub(crate) const BY_HAND: &str = "dewar::Cache";

/// The most of a key that is told.
const LONGEST_KEY: usize = 200;
/// The most of an error that is told: recent ones are kept.
const LONGEST_ERROR: usize = 1_000;
/// How many things of one invalidation are named.
const MOST_NAMED: usize = 20;

/// Who is told of one cache.
pub(crate) struct Watch {
    cache: Arc<str>,
    keys: EventKeys,
    hooks: Option<Hooks>,
    recent: Recent,
    /// Until when operations are kept; zero where they are not.
    recording: AtomicU64,
    /// Whether `tracing` was told of hits when that was asked last.
    traced: AtomicBool,
    clock: Clock,
    /// The cache's name among those that are published.
    #[cfg(any(feature = "dashboard", feature = "metrics"))]
    published: OnceLock<String>,
    /// It was the default cache until another one was configured.
    #[cfg(any(feature = "dashboard", feature = "metrics"))]
    retired: AtomicBool,
}

/// The name of an entry, as its parts.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) hash: u64,
}

impl Watch {
    pub(crate) fn new(cache: &str, keys: EventKeys, hooks: Vec<Hook>, clock: Clock) -> Self {
        Watch {
            cache: cache.into(),
            keys,
            hooks: (!hooks.is_empty()).then(|| Hooks::new(hooks)),
            recent: Recent::default(),
            recording: AtomicU64::new(0),
            traced: AtomicBool::new(false),
            clock,
            #[cfg(any(feature = "dashboard", feature = "metrics"))]
            published: OnceLock::new(),
            #[cfg(any(feature = "dashboard", feature = "metrics"))]
            retired: AtomicBool::new(false),
        }
    }

    /// Whether anybody wants to be told.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_told_by_us() || crate::trace::is_on()
    }

    /// The same for hits.
    pub(crate) fn is_told_of_hits(&self) -> bool {
        self.is_told_by_us() || crate::trace::is_told_of_hits()
    }

    /// Whether anybody wants to be told of whatever happens, `tracing` aside.
    pub(crate) fn is_told_by_us(&self) -> bool {
        self.hooks.is_some() || self.recording.load(Ordering::Relaxed) > 0 || report::wanted()
    }

    /// Whether `tracing` wants to be told of hits, and did not when this was asked last.
    pub(crate) fn notice_tracing(&self) -> bool {
        let told = crate::trace::may_be_told_of_hits();
        told != self.traced.load(Ordering::Relaxed)
            && !self.traced.swap(told, Ordering::Relaxed)
            && told
    }

    /// Keeps the most recent operations for so long from now on; returns whether it did not do so
    /// before.
    pub(crate) fn record(&self, time: Nanos) -> bool {
        let until = self.clock.now().saturating_add(time);
        self.recording.fetch_max(until, Ordering::Relaxed) == 0
    }

    /// Whether operations are kept; no longer when the time is over.
    fn is_recording(&self) -> bool {
        let until = self.recording.load(Ordering::Relaxed);
        if until > 0 && self.clock.now() > until {
            let _ = self
                .recording
                .compare_exchange(until, 0, Ordering::Relaxed, Ordering::Relaxed);
            return false;
        }
        until > 0
    }

    #[cold]
    pub(crate) fn tell(&self, function: &'static str, key: Option<Named<'_>>, kind: EventKind) {
        let event = Event {
            cache: Arc::clone(&self.cache),
            function,
            key: key.and_then(|key| self.shown(function, key)),
            kind: match kind {
                EventKind::Invalidated(what) => EventKind::Invalidated(self.named(&what)),
                EventKind::StoreFailed(error) => {
                    EventKind::StoreFailed(shortened(&error, LONGEST_ERROR).to_owned())
                }
                kind => kind,
            },
        };
        crate::trace::told(&event);
        report::note(&event);
        if self.is_recording() {
            let at = UNIX_EPOCH + Duration::from_millis(self.clock.wall_millis());
            self.recent.add(at, event.clone());
        }
        if let Some(hooks) = &self.hooks {
            hooks.tell(event);
        }
    }

    /// The cache's name.
    #[cfg(feature = "stores")]
    pub(crate) fn cache(&self) -> &str {
        &self.cache
    }

    /// How much of keys is told.
    #[cfg(feature = "dashboard")]
    pub(crate) fn keys(&self) -> EventKeys {
        self.keys
    }

    /// What the cache is called where figures of all caches are; none of one that is neither the
    /// default one nor registered, and that others of its name are not to be taken for.
    #[cfg(any(feature = "dashboard", feature = "metrics"))]
    pub(crate) fn published(&self) -> Option<&str> {
        let retired = self.retired.load(Ordering::Relaxed);
        self.published
            .get()
            .filter(|_| !retired)
            .map(String::as_str)
    }

    /// It is published from now on, under a name that no other has.
    #[cfg(any(feature = "dashboard", feature = "metrics"))]
    pub(crate) fn publish(&self, name: String) {
        let _ = self.published.set(name);
    }

    /// It is published no longer.
    #[cfg(any(feature = "dashboard", feature = "metrics"))]
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    pub(crate) fn shown(&self, function: &str, key: Named<'_>) -> Option<Arc<str>> {
        let Named { prefix, hash } = key;
        let text = match self.keys {
            EventKeys::Prefixes if function == BY_HAND => match levels_above(prefix) {
                Some(levels) => format!("{}:{hash:016x}", shortened(levels, LONGEST_KEY)),
                None => format!("{hash:016x}"),
            },
            EventKeys::Prefixes | EventKeys::Shown => {
                format!("{}:{hash:016x}", shortened(prefix, LONGEST_KEY))
            }
            EventKeys::Hashed => format!("{function}:{hash:016x}"),
            EventKeys::Hidden => return None,
        };
        Some(text.into())
    }

    /// What an invalidation names: arguments are in it, so that it is told as keys are.
    fn named(&self, what: &[String]) -> Vec<String> {
        let named = what.iter().take(MOST_NAMED);
        let mut named: Vec<_> = named.map(|what| self.one_named(what)).collect();
        if what.len() > MOST_NAMED {
            named.push(format!("{} more", what.len() - MOST_NAMED));
        }
        named
    }

    /// Such as `prefix user:42`, `call shop::user`, `everything`.
    fn one_named(&self, what: &str) -> String {
        let (kind, name) = what.split_once(' ').unwrap_or((what, ""));
        let is_code = matches!(kind, "call" | "function") || name.is_empty();
        match self.keys {
            EventKeys::Hashed if !is_code => format!("{kind} {:016x}", number(name)),
            EventKeys::Hidden if !is_code => kind.to_owned(),
            _ => shortened(what, LONGEST_KEY).to_owned(),
        }
    }

    /// The most recent operations, the last first.
    pub(crate) fn recent(&self) -> Vec<Operation> {
        self.recent.all()
    }

    /// Events that no hook was told of, as hooks were too slow.
    pub(crate) fn dropped(&self) -> u64 {
        self.hooks.as_ref().map_or(0, Hooks::dropped)
    }
}

/// All levels of a key but the last, in which a secret may be; a `:` at the end begins no level.
fn levels_above(key: &str) -> Option<&str> {
    let (levels, _) = key.trim_end_matches(':').rsplit_once(':')?;
    Some(levels)
}

/// The same for one text as long as the process runs.
fn number(text: &str) -> u64 {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    SEED.get_or_init(RandomState::new).hash_one(text)
}

fn shortened(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
