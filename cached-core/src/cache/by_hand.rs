//! The low-level operations on the memory tier: keys of the user's own.

use std::any::TypeId;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::api::{Expiry, Value};
use super::numbers;
use crate::clock::{NEVER, nanos};
use crate::engine::Engine;
use crate::engine::at::{At, Mode, at_in};
use crate::engine::batch::Batch;
use crate::engine::plan::Plan;
use crate::engine::site::{Marker, Site};
use crate::error::Error;
use crate::key::{self, OwnedKey};
use crate::memory::{Entry, Meta, Query, Slot};
use crate::outcome::{Outcome, Plain, out};
use crate::policy::{Judgement, Policy};
use crate::scope::ticks::Verdict;
use crate::scope::{Scopes, of_key};
use crate::watch::{MissReason, Named};

/// Stands for all keys of the low-level API where functions have a site of their own.
static SITE: Site = Site::new(crate::watch::BY_HAND, Policy::DEFAULT);

/// Tells these keys apart from those of functions.
struct ByHand;

pub(super) type Owned = (String, ());

fn owned(key: &str) -> OwnedKey<Owned> {
    let marker = TypeId::of::<ByHand>();
    let hash = key::hash(marker, &(key, ()));
    OwnedKey {
        hash,
        marker,
        parts: (key.to_owned(), ()),
    }
}

/// How often a count is tried while others write the same key.
const ATTEMPTS: usize = 10_000;

impl Engine {
    pub(super) fn lifetime(&self, expiry: Expiry) -> u64 {
        match expiry {
            Expiry::Default => self.default_timeout,
            Expiry::After(duration) => nanos(duration),
            Expiry::Never => NEVER,
        }
    }

    /// The entry at a key, if it may be served; else why not.
    fn find(&self, key: &str) -> Result<Slot, MissReason> {
        let memory = self.memory.as_ref().ok_or(MissReason::Absent)?;
        let slot = memory.find(&owned(key)).ok_or(MissReason::Absent)?;
        self.usable(&slot).map(|()| slot)
    }

    /// Whether an entry may be served; else why not.
    fn usable(&self, slot: &Slot) -> Result<(), MissReason> {
        let meta = slot.meta();
        match self.verdict_of(slot) {
            Verdict::Invalid => return Err(MissReason::Invalidated),
            Verdict::Expired => return Err(MissReason::Expired),
            Verdict::Valid => {}
        }
        let now = self.clock.now();
        match meta.times().judge(now) {
            Judgement::Fresh => Ok(()),
            _ => Err(MissReason::Expired),
        }
    }

    /// The entry at a key, if it may be served.
    pub(super) fn live(&self, key: &str) -> Option<Slot> {
        self.find(key).ok()
    }

    pub(super) fn read<T: Value>(&self, key: &str) -> Option<T> {
        self.hit_at(key).or_else(|| self.read_slowly(key))
    }

    /// The value, if it is of this type and nothing has to be thought about.
    fn hit_at<T: Value>(&self, key: &str) -> Option<T> {
        let marker = TypeId::of::<ByHand>();
        let parts = (Text(key), ());
        let query = Query {
            hash: key::hash(marker, &parts),
            marker,
            parts: &parts,
            value: PhantomData,
        };
        let value = self
            .memory
            .as_ref()?
            .look(&query, |_, entry: &Entry<_, T>| {
                let fresh = entry.meta.times().fresh_until(self.clock.latest());
                if !fresh || self.verdict(&entry.meta, &entry.key) != Verdict::Valid {
                    return None;
                }
                self.hit(&entry.meta, entry.key.hash, &self.counters);
                Some(entry.value.clone())
            });
        value.flatten()
    }

    fn read_slowly<T: Value>(&self, key: &str) -> Option<T> {
        let slot = match self.find(key) {
            Ok(slot) => slot,
            Err(missing) => {
                self.missed_at(key, missing);
                return None;
            }
        };
        let Some(entry) = slot.downcast::<Owned, T>() else {
            self.missed_at(key, MissReason::Undecodable);
            return None;
        };
        self.hit(&entry.meta, entry.key.hash, &self.counters);
        Some(entry.value.clone())
    }

    fn missed_at(&self, key: &str, reason: MissReason) {
        let hash = owned(key).hash;
        self.counters.missed(Named { prefix: key, hash }, reason);
    }

    /// Stores a value where `allowed` agrees, asked while nobody else writes this key.
    pub(super) fn write<T: Value>(
        &self,
        key: &str,
        value: T,
        lifetime: u64,
        allowed: impl FnOnce(Option<&Slot>) -> bool,
    ) -> bool {
        let allowed = |old: Option<&Slot>| allowed(old).then_some(lifetime);
        self.write_since(key, value, lifetime, None, allowed)
    }

    /// The same for a value that was made of what was there at the tick `since`, if it is known:
    /// an invalidation from then on is one of this value too. `allowed` says how long it lives.
    pub(super) fn write_since<T: Value>(
        &self,
        key: &str,
        value: T,
        lifetime: u64,
        since: Option<u64>,
        allowed: impl FnOnce(Option<&Slot>) -> Option<u64>,
    ) -> bool {
        let Some(memory) = &self.memory else {
            return false;
        };
        let slot = Slot::new(self.entry(owned(key), value, lifetime));
        // The fence stands only once the write is allowed: it would take the old value's place.
        let stored = lifetime > 0
            && memory.insert(slot.clone(), key.len(), |old| {
                let Some(left) = allowed(old) else {
                    return false;
                };
                let meta = slot.meta();
                if left != lifetime {
                    meta.times().renew(self.clock.now(), left);
                }
                self.fence(slot.key());
                let now = self.ticks.now();
                meta.checked.fetch_max(now, Ordering::AcqRel);
                since.is_none_or(|since| self.untouched(meta, since))
            });
        if stored {
            self.counters.kept(slot.named(), true);
        }
        stored
    }

    /// Whether nothing was invalidated that holds an entry, but for the fence of its own key.
    fn untouched(&self, meta: &Meta, since: u64) -> bool {
        let verdict = (self.ticks).check(meta.scopes().ids(), meta.scopes().prefix(), since);
        verdict == Verdict::Valid
    }

    /// Stores a value whatever is there; one that lives for no time at all takes its place away.
    pub(super) fn replace<T: Value>(&self, key: &str, value: T, lifetime: u64) {
        if lifetime == 0 {
            self.erase(key);
        } else {
            self.write(key, value, lifetime, |_| true);
        }
    }

    fn entry<T>(&self, key: OwnedKey<Owned>, value: T, lifetime: u64) -> Entry<Owned, T> {
        let began = self.begin();
        let scopes = Scopes::new(of_key(key.marker, key.hash), &key.parts.0, []);
        let times = Policy::DEFAULT.times(self.clock.now(), lifetime, 0);
        let meta = Meta::new(began, times, scopes, Arc::clone(&self.counters));
        Entry { meta, key, value }
    }

    pub(super) fn erase(&self, key: &str) -> bool {
        let owned = owned(key);
        let Some(memory) = &self.memory else {
            return false;
        };
        memory.take(&owned, |slot| {
            let was_live = slot.is_some_and(|slot| self.usable(slot).is_ok());
            // Before it is out: a load that runs now is not stored later, and one that is stored
            // already is what is taken out.
            self.fence(&owned);
            was_live
        })
    }

    pub(super) fn renew(&self, key: &str, lifetime: u64) -> bool {
        let renew = |slot: &Slot| {
            self.usable(slot).is_ok() && slot.meta().times().renew(self.clock.now(), lifetime)
        };
        // Whoever replaces the entry meanwhile comes before or after, and sees what it lives for.
        let memory = self.memory.as_ref();
        memory.is_some_and(|memory| memory.hold(&owned(key), |slot| slot.is_some_and(renew)))
    }

    /// Adds to a number, of whatever integer type it is; one that is not there counts as zero and
    /// lives for the default timeout.
    pub(super) fn count(&self, key: &str, by: i64) -> Result<i64, Error> {
        for _ in 0..ATTEMPTS {
            let since = self.begin().tick;
            let Some(old) = self.live(key) else {
                let absent = |_: Option<&Slot>| self.live(key).is_none();
                let lifetime = self.default_timeout.max(1);
                if self.memory.is_none() || self.write(key, by, lifetime, absent) {
                    return Ok(by);
                }
                continue;
            };
            let order = old.meta().order();
            // What is left is asked for last: a `touch` may have come since.
            let left = |now: Option<&Slot>| {
                let now = now.filter(|now| now.meta().order() == order)?;
                Some(now.meta().times().left(self.clock.now())).filter(|left| *left > 0)
            };
            let update = numbers::Update { key, by, since };
            if let Some(sum) = update.apply(self, old.value(), left)? {
                return Ok(sum);
            }
        }
        Err(Error::value(
            key,
            "could not be stored; does its weigher panic?",
        ))
    }

    pub(super) fn at<R: 'static, O: Outcome<R>>(
        self: &Arc<Self>,
        key: &str,
        outcome: O,
        lifetime: u64,
    ) -> At<R> {
        self.at_as(Mode::Read, key, outcome, lifetime)
    }

    /// The place of a plain value.
    #[cfg(feature = "stores")]
    pub(super) fn value_at<T: Value>(
        self: &Arc<Self>,
        mode: Mode,
        key: &str,
        lifetime: u64,
    ) -> At<T> {
        let outcome: Plain<T> = out::<T>().kind();
        self.at_as(mode, key, outcome, lifetime)
    }

    fn at_as<R: 'static, O: Outcome<R>>(
        self: &Arc<Self>,
        mode: Mode,
        key: &str,
        outcome: O,
        lifetime: u64,
    ) -> At<R> {
        let plan = |plan: &mut Plan<R, O::Value, O::Error>| {
            plan.prefix(key.into());
            plan.timeout(Duration::from_nanos(lifetime));
        };
        let marker = Marker::of(&ByHand);
        at_in(
            self,
            mode,
            &SITE,
            marker,
            (Text(key), ()),
            outcome,
            |_| false,
            plan,
        )
    }

    /// Looks several keys up, to load those that are missing.
    pub(super) fn batch<T: Value, E>(
        self: &Arc<Self>,
        keys: &[&str],
        lifetime: u64,
    ) -> Batch<Result<HashMap<String, T>, E>> {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        Batch::look(&keys, |key: &String| {
            let outcome: Plain<T> = out::<T>().kind();
            self.at(key, outcome, lifetime)
        })
    }
}

/// Text that is owned as a `String`.
struct Text<'a>(&'a str);

impl key::Part for Text<'_> {
    type Owned = String;

    #[inline]
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        std::hash::Hash::hash(self.0, hasher);
    }

    #[inline]
    fn matches(&self, owned: &String) -> bool {
        self.0 == owned
    }

    fn own(&self) -> String {
        self.0.to_owned()
    }
}
