//! The invalidation clock.
//!
//! An invalidation gives its scope the next tick of one counter. An entry remembers the tick at
//! which its load *began*, and is valid while none of its scopes has a later one. So a load that
//! began before an invalidation can never bring its value back, however late it ends: there is no
//! moment at which it would have to be caught.
//!
//! The order of two stores carries the proof. The scope's tick is written *before* the counter
//! moves, so whoever reads the new counter also finds the scope's tick; and a load that reads the
//! old counter is older than the invalidation, whichever way its read of the table goes.
//!
//! The table is bounded. It keeps two generations; when the younger is full it becomes the elder,
//! and the floor rises to the oldest tick that is still known. An entry that was last found valid
//! below the floor counts as invalid: a load more, never a stale value.

use crate::scope::Glob;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, TickMap, lock};

/// When each scope was last invalidated.
pub(crate) struct Ticks {
    now: AtomicU64,
    floor: AtomicU64,
    soft_floor: AtomicU64,
    tables: Mutex<Tables>,
    capacity: usize,
    /// The tick after this one.
    next: fn(u64) -> u64,
}

struct Tables {
    young: Arc<TickMap>,
    young_len: usize,
    /// The tick at which the younger table was begun.
    young_since: u64,
    elder: Option<Arc<TickMap>>,
    patterns: Option<Arc<Vec<Pattern>>>,
    /// There has been a soft invalidation.
    soft: bool,
}

/// An invalidated pattern: it holds for every prefix, known or not.
#[derive(Clone)]
struct Pattern {
    glob: Glob,
    tick: u64,
    soft: bool,
}

/// How many patterns are remembered; each is one comparison more when an entry is looked at for
/// the first time after an invalidation.
const PATTERNS: usize = 128;

/// What became of an entry since it was last looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Nothing that concerns it.
    Valid,
    /// A soft invalidation: it is to count as expired.
    Expired,
    /// An invalidation: it must not be served.
    Invalid,
}

/// Marks the soft kind of a scope in the table.
const SOFT: u64 = 0x9E37_79B9_7F4A_7C15;

impl Ticks {
    /// A clock that remembers at least `capacity` invalidated scopes.
    pub(crate) fn new(capacity: usize) -> Self {
        let tables = Tables {
            young: Arc::default(),
            young_len: 0,
            young_since: 0,
            elder: None,
            patterns: None,
            soft: false,
        };
        Ticks {
            now: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            soft_floor: AtomicU64::new(0),
            tables: Mutex::new(tables),
            capacity: capacity.max(1),
            next: |tick| tick + 1,
        }
    }

    /// Takes its ticks from a count that it shares with others. Each must be later than all that
    /// were taken before.
    pub(crate) fn counted_by(self, next: fn(u64) -> u64) -> Self {
        Ticks { next, ..self }
    }

    /// The tick now: what a load that begins now remembers.
    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::Acquire)
    }

    /// Invalidates all that an order names, in one step; returns the tick it was given.
    ///
    /// The cost is that of the order, whatever the number of entries.
    pub(crate) fn invalidate(&self, order: &Order) -> u64 {
        let mut tables = lock(&self.tables);
        let tick = (self.next)(self.now.load(Ordering::Relaxed));
        tables.soft |= order.soft;
        for scope in &order.scopes {
            let id = if order.soft { scope ^ SOFT } else { *scope };
            self.note(&mut tables, id, tick);
        }
        for glob in &order.patterns {
            self.note_pattern(
                &mut tables,
                Pattern {
                    glob: glob.clone(),
                    tick,
                    soft: order.soft,
                },
            );
        }
        if order.all {
            let floor = if order.soft {
                &self.soft_floor
            } else {
                &self.floor
            };
            floor.store(tick, Ordering::Release);
        }
        self.now.store(tick, Ordering::Release);
        tick
    }

    fn note_pattern(&self, tables: &mut Tables, pattern: Pattern) {
        let mut patterns = tables.patterns.as_deref().cloned().unwrap_or_default();
        patterns.retain(|known| known.glob != pattern.glob || known.soft != pattern.soft);
        if patterns.len() >= PATTERNS {
            let oldest = patterns.remove(0);
            self.floor.fetch_max(oldest.tick, Ordering::Release);
        }
        patterns.push(pattern);
        tables.patterns = Some(Arc::new(patterns));
    }

    fn note(&self, tables: &mut Tables, id: u64, tick: u64) {
        if tables.young.insert(id, tick) {
            tables.young_len += 1;
        }
        if tables.young_len >= self.capacity {
            self.turn(tables, tick);
        }
    }

    /// The younger table becomes the elder; what the elder knew is forgotten and the floor rises
    /// above it.
    fn turn(&self, tables: &mut Tables, tick: u64) {
        self.floor.fetch_max(tables.young_since, Ordering::Release);
        tables.elder = Some(std::mem::take(&mut tables.young));
        tables.young_len = 0;
        tables.young_since = tick;
    }

    /// Whether something that was valid at tick `since` still is, at the tick read before the call.
    pub(crate) fn check(
        &self,
        scopes: impl Iterator<Item = u64> + Clone,
        prefix: &str,
        since: u64,
    ) -> Verdict {
        let (young, elder, patterns, soft) = {
            let tables = lock(&self.tables);
            let (elder, patterns) = (tables.elder.clone(), tables.patterns.clone());
            (Arc::clone(&tables.young), elder, patterns, tables.soft)
        };
        // After the tables: what they have forgotten, the floor says.
        if since < self.floor.load(Ordering::Acquire) {
            return Verdict::Invalid;
        }
        let known = |id| young.get(id).or_else(|| elder.as_ref()?.get(id));
        let later = |id| known(id).is_some_and(|tick| tick > since);
        let hit = |soft| {
            patterns
                .iter()
                .flat_map(|patterns| patterns.iter())
                .any(|p| p.soft == soft && p.tick > since && p.glob.matches(prefix))
        };
        if scopes.clone().any(later) || hit(false) {
            return Verdict::Invalid;
        }
        let expired = soft
            && (since < self.soft_floor.load(Ordering::Acquire)
                || scopes.clone().any(|scope| later(scope ^ SOFT))
                || hit(true));
        if expired {
            Verdict::Expired
        } else {
            Verdict::Valid
        }
    }
}

/// What one invalidation names.
#[derive(Default, Clone)]
pub(crate) struct Order {
    pub(crate) scopes: Vec<u64>,
    pub(crate) patterns: Vec<Glob>,
    pub(crate) all: bool,
    /// Expired, not gone.
    pub(crate) soft: bool,
    /// What it names, in words, where somebody is told.
    pub(crate) what: Vec<String>,
    /// What the scopes are called on a shared store.
    #[cfg(feature = "stores")]
    pub(crate) names: Vec<String>,
}

#[cfg(test)]
#[path = "ticks_tests.rs"]
mod tests;
