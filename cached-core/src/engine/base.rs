//! What the load of a key needs whatever its types are.

use std::sync::Arc;
#[cfg(feature = "stores")]
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
#[cfg(feature = "stores")]
use std::sync::{Mutex, OnceLock};

use super::{Began, Engine};
#[cfg(feature = "stores")]
use crate::clock::NEVER;
use crate::clock::Nanos;
use crate::memory::Slot;
#[cfg(feature = "stores")]
use crate::policy::Judgement;
use crate::policy::{Policy, Times};
use crate::scope::Scopes;
use crate::stats::Counters;
#[cfg(feature = "stores")]
use crate::store::names::Names;
#[cfg(feature = "stores")]
use crate::sync::lock;
use crate::watch::Named;

/// What is the same whatever the types of arguments and result.
pub(crate) struct Base {
    pub(crate) engine: Arc<Engine>,
    /// The function's number.
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
    pub(super) fn is_outdated(&self) -> bool {
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
    pub(super) fn hears_of_stale(&self) -> bool {
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
    pub(super) fn times(&self, lifetime: Nanos, began: Began) -> Times {
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
    pub(super) fn vouched(&self, since: Nanos) -> Nanos {
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
