//! A call that missed: everything the load needs, the types of its arguments forgotten.

use std::any::{Any, TypeId};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::Began;
use super::base::Base;
use super::plan::Plan;
use crate::clock::Nanos;
use crate::error::TimedOut;
use crate::key::{AnyKey, OwnedKey};
use crate::memory::{Entry, Meta, Slot};
use crate::outcome::{Outcome, Share, Verdict as Judged};
use crate::policy::{Judgement, Negative, Times};
use crate::scope::of_tag;
use crate::scope::ticks::Verdict;
#[cfg(feature = "stores")]
use crate::sync::lock;
use crate::watch::EvictionReason;

/// A call that missed, the types of its arguments forgotten.
pub(crate) trait Load<R>: Send + Sync {
    fn base(&self) -> &Base;

    /// The owned key: the call itself.
    fn key(&self) -> &dyn AnyKey;

    /// The same, to be kept.
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
        self
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
