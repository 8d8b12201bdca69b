//! A call that missed: everything the load needs, the types of its arguments forgotten.

use std::any::{Any, TypeId};
use std::marker::PhantomData;
use std::sync::Arc;
#[cfg(feature = "stores")]
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
#[cfg(feature = "stores")]
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use super::plan::Plan;
use super::{Began, Engine};
#[cfg(feature = "stores")]
use crate::clock::NEVER;
use crate::clock::Nanos;
use crate::error::TimedOut;
use crate::key::{AnyKey, OwnedKey};
use crate::memory::{Entry, Meta, Slot};
use crate::outcome::{Outcome, Share, Verdict as Judged};
use crate::policy::{Judgement, Negative, Policy, Times};
use crate::scope::ticks::Verdict;
use crate::scope::{Scopes, of_tag};
use crate::stats::Counters;
#[cfg(feature = "stores")]
use crate::store::names::Names;
#[cfg(feature = "stores")]
use crate::sync::lock;
use crate::watch::{EvictionReason, Named};

/// What is the same whatever the types of arguments and result.
pub(crate) struct Base {
    pub(crate) engine: Arc<Engine>,
    /// The function's number.
    #[cfg(feature = "stores")]
    pub(crate) id: usize,
    /// The function's name.
    pub(crate) function: &'static str,
    pub(crate) policy: &'static Policy,
    pub(crate) counters: Arc<Counters>,
    pub(crate) hash: u64,
    /// Where in the jitter's range the expiry falls, in memory and on the shared store.
    pub(crate) random: u64,
    pub(crate) scopes: Scopes,
    /// The bytes of the key beyond its type's size.
    pub(crate) heap: usize,
    /// There will be more tags, known only from the value.
    pub(crate) late_tags: bool,
    /// The expired entry that was found, if there was one.
    pub(crate) stale: Option<Slot>,
    /// The order of the entry that was found and not served; 0 for none.
    pub(crate) refused: u64,
    /// What the entry and its scopes are called on the shared store, if it is to go there.
    #[cfg(feature = "stores")]
    pub(crate) names: Option<Names>,
    /// What it is called when it is invalidated, if its result stays in memory because it cannot
    /// travel.
    #[cfg(feature = "stores")]
    pub(crate) heard_as: Option<String>,
    /// When it was found that memory has nothing.
    #[cfg(feature = "stores")]
    pub(crate) asked: Nanos,
    /// How long a value that came from the store is good for still; 0 for one that was loaded.
    #[cfg(feature = "stores")]
    pub(crate) fetched: AtomicU64,
    /// When the store was asked for that value.
    #[cfg(feature = "stores")]
    pub(crate) fetched_at: AtomicU64,
    /// The expired entry that the shared store has, if it has one that is of use.
    #[cfg(feature = "stores")]
    pub(crate) offered: OnceLock<Slot>,
    /// When this call's load began.
    #[cfg(feature = "stores")]
    pub(crate) began: Mutex<Option<Began>>,
    /// It runs within a load of its own key.
    #[cfg(feature = "stores")]
    pub(crate) inside: AtomicBool,
    /// There was a load to run, and another process runs it.
    #[cfg(feature = "stores")]
    pub(crate) skipped: AtomicBool,
    /// A load was run, and another process has brought something newer meanwhile.
    #[cfg(feature = "stores")]
    pub(crate) overtaken: AtomicBool,
    /// It began by itself while a refresh of its key ran.
    #[cfg(feature = "stores")]
    pub(crate) beside: AtomicBool,
}

impl Base {
    /// The entry's name.
    pub(crate) fn named(&self) -> Named<'_> {
        Named {
            prefix: self.scopes.prefix(),
            hash: self.hash,
        }
    }

    /// The scope of its key, as other processes know it.
    #[cfg(feature = "stores")]
    pub(crate) fn told_as(&self) -> Option<String> {
        let own = self.names.as_ref().and_then(Names::own);
        own.or_else(|| self.heard_as.clone())
    }

    /// Whether the value came from the shared store, and no body ran.
    #[cfg(feature = "stores")]
    pub(crate) fn was_fetched(&self) -> bool {
        self.fetched.load(Ordering::SeqCst) > 0 && !self.overtaken.load(Ordering::SeqCst)
    }

    /// Whether memory serves nothing of what goes to the shared store: then it holds nothing of it.
    pub(super) fn serves_no_copies(&self) -> bool {
        #[cfg(feature = "stores")]
        if let (Some(tier), Some(_)) = (&self.engine.tier, &self.names) {
            return tier.copies == 0;
        }
        false
    }

    /// Whether the value came from the shared store: there is none.
    #[cfg(not(feature = "stores"))]
    pub(crate) fn was_fetched(&self) -> bool {
        false
    }

    /// Whether the load was left to another process.
    pub(crate) fn was_skipped(&self) -> bool {
        #[cfg(feature = "stores")]
        return self.skipped.load(Ordering::SeqCst);
        #[cfg(not(feature = "stores"))]
        false
    }

    /// It runs within a load of its own key: there is nobody to wait for.
    pub(crate) fn runs_inside(&self) {
        #[cfg(feature = "stores")]
        self.inside.store(true, Ordering::SeqCst);
    }

    /// Notes when the load of this call began; of several, the first counts.
    pub(crate) fn begins(&self, began: Began) {
        #[cfg(feature = "stores")]
        lock(&self.began).get_or_insert(began);
        #[cfg(not(feature = "stores"))]
        let _ = began;
    }

    /// Whether a refresh of its key runs: what the shared store has now is older.
    #[cfg(feature = "stores")]
    pub(crate) fn is_refreshed(&self) -> bool {
        self.engine.is_refreshed(self.hash)
    }

    /// A load begins that nobody joins, and that joins nobody.
    pub(super) fn begins_alone(&self) {
        #[cfg(feature = "stores")]
        self.beside.store(self.is_refreshed(), Ordering::SeqCst);
    }

    /// Whether the value is what the shared store had while a refresh ran, which may have ended
    /// since.
    fn is_outdated(&self) -> bool {
        #[cfg(feature = "stores")]
        return self.was_fetched() && self.beside.load(Ordering::SeqCst);
        #[cfg(not(feature = "stores"))]
        false
    }

    /// The expired entry that may stand in for a load: the one that was found, or that the shared
    /// store has.
    pub(crate) fn expired(&self) -> Option<&Slot> {
        #[cfg(feature = "stores")]
        return self.stale.as_ref().or_else(|| self.offered.get());
        #[cfg(not(feature = "stores"))]
        self.stale.as_ref()
    }

    /// Whether the shared store has brought a value that may be served while it is refreshed.
    pub(crate) fn revalidates(&self) -> bool {
        #[cfg(feature = "stores")]
        if self.policy.stale_while_revalidate > 0
            && let Some(offered) = self.offered.get()
        {
            let judged = offered.meta().times().judge(self.engine.clock.now());
            return judged == Judgement::Revalidate;
        }
        false
    }

    /// Whether it waits for a load for which an expired value may turn up.
    fn hears_of_stale(&self) -> bool {
        #[cfg(feature = "stores")]
        return self.awaits_stale() && lock(&self.began).is_none();
        #[cfg(not(feature = "stores"))]
        false
    }

    /// Whether an expired value may turn up while the load is under way.
    pub(crate) fn awaits_stale(&self) -> bool {
        #[cfg(feature = "stores")]
        return self.names.is_some() && self.policy.stale() > 0;
        #[cfg(not(feature = "stores"))]
        false
    }

    /// The deadlines of an entry in memory whose value lives for `lifetime` and comes of a load that
    /// began then.
    #[cfg_attr(
        not(feature = "stores"),
        expect(unused_variables, reason = "nobody else invalidates")
    )]
    fn times(&self, lifetime: Nanos, began: Began) -> Times {
        let now = self.engine.clock.now();
        #[cfg(feature = "stores")]
        {
            let (lifetime, random, since) = match self.fetched.load(Ordering::SeqCst) {
                0 => (lifetime, self.random, began.at),
                // It has been shortened where it was stored.
                left => (
                    lifetime.min(left),
                    0,
                    self.fetched_at.load(Ordering::SeqCst),
                ),
            };
            let times = self.policy.times(now, lifetime, random);
            times.vouch_until(now, self.vouched(since))
        }
        #[cfg(not(feature = "stores"))]
        self.policy.times(now, lifetime, self.random)
    }

    /// Until when nothing of what was read then, of the source or of the store, can have been
    /// invalidated elsewhere unheard for too long: what is here alone is bounded as a copy is.
    #[cfg(feature = "stores")]
    fn vouched(&self, since: Nanos) -> Nanos {
        match &self.engine.tier {
            Some(tier) if !self.policy.local => tier.vouched(since),
            _ => NEVER,
        }
    }

    /// Whether a load that began then is too old for this call: what others had invalidated before
    /// the call may not have been heard of, and the load may have read what was there before.
    pub(crate) fn comes_too_late_for(&self, began: Began) -> bool {
        #[cfg(feature = "stores")]
        return self.asked > began.at && self.asked >= self.vouched(began.at);
        #[cfg(not(feature = "stores"))]
        {
            let _ = began;
            false
        }
    }
}

/// A call that missed, the types of its arguments forgotten.
pub(crate) trait Load<R>: Send + Sync {
    fn base(&self) -> &Base;

    /// The owned key.
    fn key(&self) -> &dyn AnyKey;

    /// The same, to be kept: the call itself.
    fn into_key(self: Arc<Self>) -> Arc<dyn AnyKey>;

    /// The entry's value, if there is one that is fresh by now.
    fn fresh(&self) -> Option<R>;

    /// The expired value, where it may still be served because the load failed or is slow.
    fn stale(&self) -> Option<R>;

    /// Stores a result whose load began then; returns whether it was stored.
    fn store(&self, result: &R, began: Began) -> bool;

    /// Whether the result is an error.
    fn is_error(&self, result: &R) -> bool;

    /// Whether the result says that there is nothing.
    #[cfg(feature = "stores")]
    fn is_nothing(&self, result: &R) -> bool;

    /// Whether the result is to be stored.
    #[cfg(feature = "stores")]
    fn is_kept(&self, result: &R) -> bool;

    /// Whether the result is an error for which the stale value may be served.
    fn failed(&self, result: &R) -> bool;

    /// The result for those who waited.
    fn share(&self, result: &R) -> Option<Share<R>>;

    /// How long the entry is fresh still, if there is one.
    fn left(&self) -> Option<Nanos>;

    /// What goes to the shared store, and for how long.
    #[cfg(feature = "stores")]
    fn encode(&self, result: &R) -> Option<(Vec<u8>, Nanos)>;

    /// What came from the shared store.
    #[cfg(feature = "stores")]
    fn decode(&self, bytes: &[u8], format: crate::codec::Format) -> Decoded<R>;

    /// Takes what the shared store, asked then, has and has expired, in case that it is of use.
    #[cfg(feature = "stores")]
    fn offer(&self, stale: &crate::store::tier::Value, bytes: &[u8], asked: Nanos);

    /// The value of the entry that was found, while it may be served.
    #[cfg(feature = "stores")]
    fn held(&self) -> Option<R>;

    /// How to make the error of a load that runs into the hard timeout.
    fn overdue(&self) -> Option<Overdue<R>>;
}

/// What the shared store had of a result.
#[cfg(feature = "stores")]
pub(crate) enum Decoded<R> {
    Result(R),
    /// `stale_if` will not have it.
    Refused,
    Unreadable,
}

/// The error of the hard timeout, to be made as often as it is needed.
#[derive(Clone, Copy)]
pub(crate) struct Overdue<R> {
    make: fn(TimedOut) -> R,
    error: TimedOut,
}

impl<R> Overdue<R> {
    pub(crate) fn result(&self) -> R {
        (self.make)(self.error)
    }
}

/// A call that missed.
pub(crate) struct Call<R, O: Outcome<R>, K> {
    pub(crate) base: Base,
    pub(crate) key: OwnedKey<K>,
    pub(crate) outcome: O,
    pub(crate) plan: Plan<R, O::Value, O::Error>,
    pub(crate) result: PhantomData<fn() -> R>,
}

/// A call stands for its key, where that is kept as long as the call is.
impl<R, O, K> AnyKey for Call<R, O, K>
where
    R: 'static,
    O: Outcome<R>,
    K: Eq + Send + Sync + 'static,
{
    fn hash(&self) -> u64 {
        self.key.hash
    }

    fn marker(&self) -> TypeId {
        self.key.marker
    }

    fn parts(&self) -> &dyn Any {
        self.key.parts()
    }

    fn same(&self, other: &dyn AnyKey) -> bool {
        self.key.same(other)
    }
}

impl<R, O, K> Load<R> for Call<R, O, K>
where
    R: 'static,
    O: Outcome<R>,
    K: Clone + Eq + Send + Sync + 'static,
{
    fn base(&self) -> &Base {
        &self.base
    }

    fn key(&self) -> &dyn AnyKey {
        &self.key
    }

    fn into_key(self: Arc<Self>) -> Arc<dyn AnyKey> {
        self
    }

    fn fresh(&self) -> Option<R> {
        if self.base.serves_no_copies() {
            return None;
        }
        let engine = &self.base.engine;
        let slot = engine.memory.as_ref()?.find(&self.key)?;
        let entry: &Entry<K, O::Stored> = slot.downcast()?;
        let valid = engine.verdict(&entry.meta, &entry.key) != Verdict::Invalid
            && entry.meta.order() != self.base.refused;
        let (now, times) = (engine.clock.now(), entry.meta.times());
        let judged = times.judge(now);
        if !valid || !matches!(judged, Judgement::Fresh | Judgement::Refresh) {
            return None;
        }
        times.read(now);
        Some(self.outcome.give(&entry.value))
    }

    fn stale(&self) -> Option<R> {
        let engine = &self.base.engine;
        let known = self.base.expired().cloned().or_else(|| self.arrived())?;
        let entry: &Entry<K, O::Stored> = known.downcast()?;
        let valid = engine.verdict(&entry.meta, &entry.key) != Verdict::Invalid;
        let good = entry.meta.times().good_on_error(engine.clock.now());
        (valid && good).then(|| self.outcome.give(&entry.value))
    }

    fn store(&self, result: &R, began: Began) -> bool {
        let stored = match self.base.serves_no_copies() {
            // What was fetched was to be kept, or it would not have been there.
            true => self.base.was_fetched() || self.keep(result).is_some(),
            false => self.place(result, began),
        };
        self.base.counters.kept(self.base.named(), stored);
        stored
    }

    fn is_error(&self, result: &R) -> bool {
        self.outcome.error(result).is_some()
    }

    #[cfg(feature = "stores")]
    fn is_nothing(&self, result: &R) -> bool {
        matches!(self.outcome.judge(result), Judged::Nothing(_))
    }

    #[cfg(feature = "stores")]
    fn is_kept(&self, result: &R) -> bool {
        self.keep(result).is_some()
    }

    fn failed(&self, result: &R) -> bool {
        let only = |error| self.plan.only.as_ref().is_none_or(|only| only(error));
        self.outcome.error(result).is_some_and(only)
    }

    fn share(&self, result: &R) -> Option<Share<R>> {
        match self.outcome.judge(result) {
            Judged::Value(stored) | Judged::Nothing(stored) => {
                let outcome = self.outcome.clone();
                Some(Arc::new(move || outcome.give(&stored)))
            }
            Judged::Failed(error) => self.outcome.share_error(error),
        }
    }

    fn left(&self) -> Option<Nanos> {
        let engine = &self.base.engine;
        let slot = engine.memory.as_ref()?.find(&self.key)?;
        let times = slot.meta().times();
        let now = engine.clock.now();
        let fresh = matches!(times.judge(now), Judgement::Fresh | Judgement::Refresh);
        (fresh && engine.verdict_of(&slot) == Verdict::Valid).then(|| times.left(now))
    }

    #[cfg(feature = "stores")]
    fn encode(&self, result: &R) -> Option<(Vec<u8>, Nanos)> {
        let (stored, lifetime) = self.keep(result)?;
        let base = &self.base;
        let lifetime = lifetime.saturating_sub(base.policy.spread(lifetime, base.random));
        let format = base.engine.tier.as_ref()?.format();
        Some((self.outcome.codec()?.encode(&stored, format)?, lifetime))
    }

    #[cfg(feature = "stores")]
    fn decode(&self, bytes: &[u8], format: crate::codec::Format) -> Decoded<R> {
        let codec = self.outcome.codec();
        match codec.and_then(|codec| codec.decode(bytes, format)) {
            Some(stored) if self.refuses(&stored) => Decoded::Refused,
            Some(stored) => Decoded::Result(self.outcome.take(stored)),
            None => Decoded::Unreadable,
        }
    }

    #[cfg(feature = "stores")]
    fn offer(&self, stale: &crate::store::tier::Value, bytes: &[u8], asked: Nanos) {
        let (base, policy) = (&self.base, self.base.policy);
        let (Some(began), Some(codec)) = (*lock(&base.began), self.outcome.codec()) else {
            return;
        };
        if base.expired().is_some() || stale.past >= policy.stale() {
            return;
        }
        let Some(stored) = codec.decode(bytes, stale.format) else {
            base.counters.undecodable.one();
            return;
        };
        if self.refuses(&stored) {
            return;
        }
        let now = base.engine.clock.now();
        let times = Times::expired(now, stale.past, policy);
        // What the load brings comes after it.
        let order = began.order.saturating_sub(1);
        let times = times.vouch_until(now, base.vouched(asked));
        let entry = self.made(stored, times, Began { order, ..began });
        let slot = Slot::new(entry);
        if !base.serves_no_copies() {
            self.insert(slot.clone());
        }
        let _ = base.offered.set(slot);
    }

    #[cfg(feature = "stores")]
    fn held(&self) -> Option<R> {
        let entry: &Entry<K, O::Stored> = self.base.stale.as_ref()?.downcast()?;
        let valid = self.base.engine.verdict(&entry.meta, &entry.key) != Verdict::Invalid;
        valid.then(|| self.outcome.give(&entry.value))
    }

    fn overdue(&self) -> Option<Overdue<R>> {
        let error = TimedOut::after(Duration::from_nanos(self.base.policy.hard));
        self.plan.timed_out.map(|make| Overdue { make, error })
    }
}

impl<R, O, K> Call<R, O, K>
where
    R: 'static,
    O: Outcome<R>,
    K: Clone + Eq + Send + Sync + 'static,
{
    /// Whether `stale_if` will not have what the shared store has.
    #[cfg(feature = "stores")]
    fn refuses(&self, stored: &O::Stored) -> bool {
        let value = self.outcome.value(stored);
        (self.plan.stale_if.as_ref().zip(value)).is_some_and(|(stale_if, value)| stale_if(value))
    }

    /// Puts a result into memory; says whether it is there.
    fn place(&self, result: &R, began: Began) -> bool {
        if self.base.is_outdated() {
            return false;
        }
        let entry = self.entry(result, began);
        if entry.is_none() && matches!(self.outcome.judge(result), Judged::Nothing(_)) {
            self.outdate(began);
        }
        entry.is_some_and(|entry| self.insert(Slot::new(entry)))
    }

    /// The expired entry that the shared store had for the load that this call waits for.
    fn arrived(&self) -> Option<Slot> {
        let memory = self.base.engine.memory.as_ref();
        let found = memory.filter(|_| self.base.hears_of_stale())?;
        let found = found.find(&self.key)?;
        #[cfg(feature = "stores")]
        if found.meta().times().vouched() <= self.base.asked {
            // It was read too long before this call.
            return None;
        }
        (found.meta().order() != self.base.refused).then_some(found)
    }

    /// Takes out what an older load left: what it found is gone now.
    fn outdate(&self, began: Began) {
        let engine = &self.base.engine;
        let memory = engine.memory.as_ref();
        let old = memory.and_then(|memory| memory.find(&self.key));
        if let Some(old) = old.filter(|old| old.meta().order() < began.order) {
            engine.discard(&old, EvictionReason::Invalidated);
        }
    }

    /// The entry that a result makes, if it is one to keep.
    fn entry(&self, result: &R, began: Began) -> Option<Entry<K, O::Stored>> {
        let (stored, lifetime) = self.keep(result)?;
        self.base.engine.memory.as_ref()?;
        Some(self.made(stored, self.base.times(lifetime, began), began))
    }

    fn made(&self, stored: O::Stored, times: Times, began: Began) -> Entry<K, O::Stored> {
        let value = self.outcome.value(&stored);
        let late = value.map_or_else(Vec::new, |value| self.plan.late_tags(value));
        let scopes = (self.base.scopes).and(late.iter().map(|tag| of_tag(tag.as_str())));
        let counters = Arc::clone(&self.base.counters);
        Entry {
            meta: Meta::new(began, times, scopes, counters),
            key: self.key.clone(),
            value: stored,
        }
    }

    /// What to keep of a result, and for how long.
    fn keep(&self, result: &R) -> Option<(O::Stored, Nanos)> {
        let policy = self.base.policy;
        let (stored, negative) = match self.outcome.judge(result) {
            Judged::Value(stored) => (stored, Negative::AsLong),
            Judged::Nothing(stored) => (stored, policy.none),
            Judged::Failed(error) => (self.outcome.keep_error(error)?, policy.err),
        };
        let value = self.outcome.value(&stored);
        let refused = match (&self.plan.cache_if, value) {
            (Some(cache_if), Some(value)) => !cache_if(value),
            _ => false,
        };
        let as_long = || {
            let default = self.base.engine.default_timeout;
            self.plan
                .lifetime(value)
                .unwrap_or_else(|| policy.lifetime(default))
        };
        let lifetime = match negative {
            Negative::No => return None,
            Negative::AsLong => as_long(),
            Negative::For(n) => n,
        };
        (!refused && lifetime > 0).then_some((stored, lifetime))
    }

    fn insert(&self, slot: Slot) -> bool {
        let engine = &self.base.engine;
        let Some(memory) = &engine.memory else {
            return false;
        };
        memory.insert(slot.clone(), self.base.heap, |_old| {
            engine.verdict_of(&slot) != Verdict::Invalid
        })
    }
}
