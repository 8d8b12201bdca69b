//! The one place where things happen: reading, loading, flights, background refreshes.
//!
//! # The life of a call
//! Generated code says `at(mode, site, marker, parts, outcome, plan)` and then runs its body
//! through what it gets back.
//!
//! 1. [`at`](at::at) finds the cache, hashes the borrowed arguments and looks them up in the memory
//!    tier. An entry is served if its times allow it (`policy`) and none of its scopes was
//!    invalidated (`scope::ticks`). This is the whole of a hit.
//! 2. Otherwise [`miss`] makes a [`Call`](call::Call): the owned key, the scopes, the plan. The
//!    types of arguments are forgotten here; what follows is compiled once per result type.
//! 3. [`Flights::enter`](flights::Flights::enter) decides who loads. The leader polls the body in
//!    its own task ([`Leading`](lead::Leading)); the others wait ([`Joined`](wait::Joined)); either
//!    for as long as the function's timeouts allow ([`limits`]).
//! 4. The leader stores the result under the tick that it took *before* the body ran, takes the
//!    flight off the table, and tells the others.
//!
//! # Who may be served what
//! An invalidation that has returned has moved the clock. A read that begins afterwards sees the
//! new time, checks every entry's scopes against it, and leaves a flight that began before it
//! alone. Those who joined such a flight earlier are still given its result: their reads began
//! before the invalidation returned.

mod aloft;
#[cfg(feature = "stores")]
mod anew;
pub(crate) mod answers;
pub(crate) mod at;
pub(crate) mod base;
pub(crate) mod batch;
pub(crate) mod call;
pub(crate) mod detach;
#[cfg(feature = "stores")]
mod fill;
pub(crate) mod flight;
pub(crate) mod flights;
mod job;
pub(crate) mod lead;
#[cfg(feature = "stores")]
mod lease;
mod limits;
mod miss;
#[cfg(feature = "stores")]
mod named;
pub(crate) mod peek;
pub(crate) mod plan;
pub(crate) mod run;
pub(crate) mod site;
pub(crate) mod through;
pub(crate) mod wait;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;

use crate::clock::{Clock, Nanos};
use crate::key::AnyKey;
use crate::memory::{Memory, Meta, Slot};
use crate::rt::Runtime;
use crate::scope::ticks::{Order, Ticks, Verdict};
use crate::stats::Counters;
use crate::sync::lock;
use crate::watch::{EventKind, EvictionReason, Watch};
use flights::Flights;
use site::Site;

/// After so many hits of a function on a thread the clock is looked after.
const CHECK: u64 = 256;

/// How finely running loads are told apart.
const LOADS: usize = 4096;
/// The same of refreshes, of which there are fewer.
const REFRESHES: usize = 256;

/// What is behind one cache.
pub(crate) struct Engine {
    pub(crate) name: String,
    /// None: the store is `null`.
    pub(crate) memory: Option<Memory>,
    pub(crate) ticks: Ticks,
    pub(crate) flights: Flights,
    #[cfg(feature = "stores")]
    pub(crate) tier: Option<Arc<crate::store::tier::Tier>>,
    pub(crate) clock: Clock,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) default_timeout: Nanos,
    /// How long a caller waits for another's load before it loads for itself.
    pub(crate) wait_limit: Nanos,
    /// What is not a function's own: invalidations, and the low-level API.
    pub(crate) counters: Arc<Counters>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) functions: Mutex<HashMap<usize, Function, RandomState>>,
    orders: AtomicU64,
    /// The loads that run, by hash: a write that sees none of its key need not fence any off.
    loads: Box<[AtomicU32]>,
    /// The refreshes among them: what the shared store has is not kept while they run.
    refreshes: Box<[AtomicU32]>,
}

/// A function that has been called in this cache.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) counters: Arc<Counters>,
    /// Its results cannot be serialised, and stay in memory.
    #[cfg(feature = "stores")]
    pub(crate) memory_only: bool,
}

/// The moment a load began, on the two clocks that decide what its result may replace.
#[derive(Clone, Copy)]
pub(crate) struct Began {
    /// Of the invalidation clock.
    pub(crate) tick: u64,
    /// Among all loads and writes of this cache.
    pub(crate) order: u64,
    /// The time, where other processes share a store: what they have invalidated since may not have
    /// been heard of.
    #[cfg(feature = "stores")]
    pub(crate) at: Nanos,
}

/// The parts of an engine that do not follow from others.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) memory: Option<Memory>,
    pub(crate) clock: Clock,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) default_timeout: Nanos,
    pub(crate) wait_limit: Nanos,
    pub(crate) scopes: usize,
    #[cfg(feature = "stores")]
    pub(crate) tier: Option<Arc<crate::store::tier::Tier>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) watch: Arc<Watch>,
}

impl Engine {
    pub(crate) fn new(parts: Parts) -> Self {
        Engine {
            name: parts.name,
            memory: parts.memory,
            ticks: Ticks::new(parts.scopes).counted_by(crate::scope::moment::next),
            flights: Flights::default(),
            #[cfg(feature = "stores")]
            tier: parts.tier,
            clock: parts.clock,
            runtime: parts.runtime,
            default_timeout: parts.default_timeout,
            wait_limit: parts.wait_limit,
            counters: parts.counters,
            watch: parts.watch,
            functions: Mutex::default(),
            orders: AtomicU64::new(2),
            loads: (0..LOADS).map(|_| AtomicU32::new(0)).collect(),
            refreshes: (0..REFRESHES).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    /// Whether nothing that an entry has in common with others was invalidated since it was last found
    /// valid at that tick, softly or not.
    #[cfg(feature = "tower")]
    pub(crate) fn holds_but_for_its_key(&self, meta: &Meta, since: u64) -> bool {
        let scopes = meta.scopes();
        self.ticks.check(scopes.ids(), scopes.prefix(), since) == Verdict::Valid
    }

    /// Whether an entry may be served as far as invalidations go.
    #[inline]
    pub(crate) fn verdict(&self, meta: &Meta, key: &dyn AnyKey) -> Verdict {
        let now = self.ticks.now();
        if meta.checked.load(Ordering::Acquire) >= now {
            return Verdict::Valid;
        }
        self.recheck(meta, key, now)
    }

    #[cold]
    fn recheck(&self, meta: &Meta, key: &dyn AnyKey, now: u64) -> Verdict {
        let since = meta.checked.load(Ordering::Acquire);
        let scopes = meta.scopes();
        let own = crate::scope::of_key(key.marker(), key.hash());
        let ids = scopes.ids().chain([own]);
        let verdict = self.ticks.check(ids, scopes.prefix(), since);
        match verdict {
            Verdict::Invalid => return verdict,
            Verdict::Expired => meta.times().expire(self.clock.now()),
            Verdict::Valid => {}
        }
        meta.checked.fetch_max(now, Ordering::AcqRel);
        verdict
    }

    /// Whether an entry may be served as far as invalidations go.
    pub(crate) fn verdict_of(&self, slot: &Slot) -> Verdict {
        self.verdict(slot.meta(), slot.key())
    }

    /// A fresh entry was served, of a key with this hash.
    #[inline]
    pub(crate) fn hit(&self, meta: &Meta, hash: u64, counters: &Counters) {
        let count = counters.hits.one();
        let Some(memory) = &self.memory else { return };
        memory.sample(meta, hash);
        if count.is_multiple_of(CHECK) {
            self.clock.check();
        }
    }

    /// The same for one that is to be loaded afresh soon.
    #[cold]
    pub(crate) fn hit_due(&self, meta: &Meta, hash: u64) {
        self.hit(meta, hash, &meta.counters);
    }

    /// Loads are to begin, one or several: looks after what not every hit looks after, and says
    /// what time it is.
    pub(crate) fn start(&self) -> Nanos {
        self.look_after();
        self.clock.now()
    }

    fn look_after(&self) {
        self.clock.check();
        self.notice_tracing();
    }

    /// A load or a write begins.
    pub(crate) fn begin(&self) -> Began {
        let time = self.start();
        self.began(time)
    }

    /// The moment now, which no other load or write has; the clock was asked a moment ago, and said
    /// this.
    #[cfg_attr(
        not(feature = "stores"),
        expect(unused_variables, reason = "nobody else invalidates")
    )]
    pub(crate) fn began(&self, time: Nanos) -> Began {
        // Two: what the shared store has for a load stands right before what it brings itself.
        let order = self.orders.fetch_add(2, Ordering::SeqCst);
        Began {
            tick: self.ticks.now(),
            order,
            #[cfg(feature = "stores")]
            at: self.tier.as_ref().map_or(0, |_| time),
        }
    }

    /// The time, where other processes share a store; nobody asks for it elsewhere.
    #[cfg(feature = "stores")]
    pub(crate) fn shared_now(&self) -> Nanos {
        self.tier.as_ref().map_or(0, |_| self.clock.now())
    }

    /// Counts a load of a key as running, as long as the guard lives.
    pub(crate) fn loading(self: &Arc<Self>, hash: u64) -> Loading {
        self.loads(hash).fetch_add(1, Ordering::SeqCst);
        let engine = Arc::clone(self);
        Loading {
            engine,
            hash,
            refreshing: None,
        }
    }

    /// Counts a refresh of a key as running, as long as the guard lives.
    pub(crate) fn refreshing(self: &Arc<Self>, hash: u64) -> Refreshing {
        self.refreshes(hash).fetch_add(1, Ordering::SeqCst);
        Refreshing(Arc::clone(self), hash)
    }

    /// Whether a refresh of a key runs. Whoever begins meanwhile, and takes what the shared store
    /// has, has something older.
    #[cfg(feature = "stores")]
    pub(crate) fn is_refreshed(&self, hash: u64) -> bool {
        self.refreshes(hash).load(Ordering::SeqCst) > 0
    }

    /// How many refreshes run of the keys that share a place with this one.
    fn refreshes(&self, hash: u64) -> &AtomicU32 {
        &self.refreshes[(hash >> 20) as usize % REFRESHES]
    }

    /// How many loads run of the keys that share a place with this one.
    fn loads(&self, hash: u64) -> &AtomicU32 {
        &self.loads[(hash >> 20) as usize % LOADS]
    }

    /// Makes sure that no load of this key that runs now will be stored.
    pub(crate) fn fence(&self, key: &dyn AnyKey) {
        if self.loads(key.hash()).load(Ordering::SeqCst) > 0 {
            self.forget(key);
        }
    }

    /// Makes sure that nothing of this key is served that is there now, or is being loaded.
    pub(crate) fn forget(&self, key: &dyn AnyKey) {
        let scopes = vec![crate::scope::of_key(key.marker(), key.hash())];
        self.ticks.invalidate(&Order {
            scopes,
            ..Order::default()
        });
    }

    /// Invalidates what the order names.
    pub(crate) fn invalidate(&self, order: &Order) {
        self.ticks.invalidate(order);
        self.counters.invalidations.one();
        self.counters
            .tell(None, || EventKind::Invalidated(order.what.clone()));
    }

    /// The counters of a function in this cache.
    pub(crate) fn counters_of(&self, site: &'static Site) -> Arc<Counters> {
        self.counters_at(site.id(), site.name())
    }

    /// The counters of what has this number and name.
    pub(crate) fn counters_at(&self, id: usize, name: &'static str) -> Arc<Counters> {
        self.function(id, name, |function| Arc::clone(&function.counters))
    }

    /// Looks at what is known of a function, or of what else has a number, heard of before or not.
    fn function<T>(
        &self,
        id: usize,
        name: &'static str,
        look: impl FnOnce(&mut Function) -> T,
    ) -> T {
        let mut functions = lock(&self.functions);
        look(functions.entry(id).or_insert_with(|| Function {
            name,
            counters: Arc::new(Counters::of(name, Some(Arc::clone(&self.watch)))),
            #[cfg(feature = "stores")]
            memory_only: false,
        }))
    }

    /// The results of what has this number and name cannot travel: said once in the log.
    #[cfg(feature = "stores")]
    pub(crate) fn memory_only_at(&self, id: usize, name: &'static str, why: &str) {
        let known = self.function(id, name, |function| {
            std::mem::replace(&mut function.memory_only, true)
        });
        if !known {
            crate::trace::memory_only(&self.name, name, why);
        }
    }

    /// Takes an invalidated or useless entry out.
    pub(crate) fn discard(&self, slot: &Slot, reason: EvictionReason) {
        if let Some(memory) = &self.memory
            && memory.remove(slot)
        {
            let named = slot.named();
            slot.meta()
                .counters
                .tell(named, || EventKind::Evicted(reason));
        }
    }

    /// For so long the recent operations are kept, and hits are told of as well.
    pub(crate) fn record(&self, time: Nanos) {
        if self.watch.record(time) {
            self.note_hits();
        }
    }

    /// Whether `tracing` is told of hits is not asked with each of them, but now and then; from the
    /// moment that it is noticed, all of them are told.
    fn notice_tracing(&self) {
        if self.watch.notice_tracing() {
            self.note_hits();
        }
    }

    /// Somebody is told of hits from now on.
    pub(crate) fn note_hits(&self) {
        if let Some(memory) = &self.memory {
            memory.note_all();
        }
    }

    /// Takes out everything that can no longer be served to anybody.
    pub(crate) fn sweep(&self) -> usize {
        let Some(memory) = &self.memory else { return 0 };
        self.notice_tracing();
        let now = self.clock.now();
        memory.sweep(|slot| {
            let reason = if self.verdict_of(slot) == Verdict::Invalid {
                EvictionReason::Invalidated
            } else if slot.meta().times().judge(now) == crate::policy::Judgement::Expired {
                EvictionReason::Expired
            } else {
                return true;
            };
            let named = slot.named();
            slot.meta()
                .counters
                .tell(named, || EventKind::Evicted(reason));
            false
        })
    }
}

/// A load that runs.
pub(crate) struct Loading {
    engine: Arc<Engine>,
    hash: u64,
    /// It is a refresh: in a box, as few loads are.
    refreshing: Option<Box<Refreshing>>,
}

impl Loading {
    pub(crate) fn refreshes(&mut self, refreshing: Refreshing) {
        self.refreshing = Some(Box::new(refreshing));
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        let loads = self.engine.loads(self.hash);
        loads.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A refresh that runs.
pub(crate) struct Refreshing(Arc<Engine>, u64);

impl Drop for Refreshing {
    fn drop(&mut self) {
        self.0.refreshes(self.1).fetch_sub(1, Ordering::SeqCst);
    }
}
