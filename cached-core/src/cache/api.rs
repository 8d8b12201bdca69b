//! The low-level operations, by a key of the user's own.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use serde_core::{Serialize, de::DeserializeOwned};

use super::Cache;
use super::invalidate::Invalidated;
use crate::clock::{NEVER, nanos};
use crate::engine::Engine;
use crate::engine::at::{At, Mode, Place, at_in};
use crate::engine::plan::Plan;
use crate::engine::site::{Marker, Site};
use crate::error::Error;
use crate::key::{self, OwnedKey};
use crate::memory::{Entry, Memory, Meta, Slot};
use crate::outcome::{Fallible, Outcome, Plain, out};
use crate::policy::{Judgement, Policy};
use crate::scope::ticks::Verdict;
use crate::scope::{Scopes, of_key};

/// What can be put into a [`Cache`] by hand: cloned for readers, serialised for shared stores.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be put into a `Cache` by hand",
    label = "not `Clone + Serialize + DeserializeOwned + Send + Sync + 'static`",
    note = "derive `Clone`, `serde::Serialize` and `serde::Deserialize`; a function annotated with `#[cached]` needs only `Clone + Send + Sync`"
)]
pub trait Value: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Value for T {}

/// How long something put in by hand lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// As long as the cache's default timeout.
    #[default]
    Default,
    /// So long from now.
    After(Duration),
    /// Until it is deleted, invalidated or evicted.
    Never,
}

impl From<Duration> for Expiry {
    fn from(duration: Duration) -> Self {
        Expiry::After(duration)
    }
}

/// Stands for all keys of the low-level API where functions have a site of their own.
static SITE: Site = Site::new("dewar::Cache", Policy::DEFAULT);

/// Tells these keys apart from those of functions.
struct ByHand;

type Owned = (String, ());

fn owned(key: &str) -> OwnedKey<Owned> {
    let marker = TypeId::of::<ByHand>();
    let hash = key::hash(marker, &(key, ()));
    OwnedKey {
        hash,
        marker,
        parts: (key.to_owned(), ()),
    }
}

impl Engine {
    pub(super) fn lifetime(&self, expiry: Expiry) -> u64 {
        match expiry {
            Expiry::Default => self.default_timeout,
            Expiry::After(duration) => nanos(duration),
            Expiry::Never => NEVER,
        }
    }

    /// The entry at a key, if it may be served.
    pub(super) fn live(&self, key: &str) -> Option<Slot> {
        let slot = self.memory.as_ref()?.find(&owned(key))?;
        let meta = slot.0.meta();
        let fresh = meta.times.judge(self.clock.now()) == Judgement::Fresh;
        (fresh && self.verdict(meta) == Verdict::Valid).then_some(slot)
    }

    pub(super) fn read<T: Value>(&self, key: &str) -> Option<T> {
        let Some(slot) = self.live(key) else {
            self.counters.absent.one();
            return None;
        };
        let Some(entry) = slot.downcast::<Owned, T>() else {
            self.counters.undecodable.one();
            return None;
        };
        if let Some(memory) = &self.memory {
            memory.sample(&entry.meta);
        }
        self.counters.hits.one();
        Some(entry.value.clone())
    }

    /// Stores a value where `allowed` agrees, asked while nobody else writes this key.
    pub(super) fn write<T: Value>(
        &self,
        key: &str,
        value: T,
        lifetime: u64,
        allowed: impl FnOnce(Option<&Slot>) -> bool,
    ) -> bool {
        let Some(memory) = &self.memory else {
            return false;
        };
        let slot = Slot(Arc::new(self.entry(memory, owned(key), value, lifetime)));
        // The fence stands only once the write is allowed: it would take the old value's place.
        let stored = lifetime > 0
            && memory.insert(slot.clone(), |old| {
                let allowed = allowed(old);
                if allowed {
                    self.fence(slot.0.key());
                    let checked = &slot.0.meta().checked;
                    checked.fetch_max(self.ticks.now(), Ordering::AcqRel);
                }
                allowed
            });
        if stored {
            self.counters.stores.one();
        }
        stored
    }

    /// Stores a value whatever is there; one that lives for no time at all takes its place away.
    pub(super) fn replace<T: Value>(&self, key: &str, value: T, lifetime: u64) {
        if lifetime == 0 {
            self.erase(key);
        } else {
            self.write(key, value, lifetime, |_| true);
        }
    }

    fn entry<T>(
        &self,
        memory: &Memory,
        key: OwnedKey<Owned>,
        value: T,
        lifetime: u64,
    ) -> Entry<Owned, T> {
        let began = self.begin();
        let mut scopes = Scopes::default();
        scopes.add_prefix(&key.parts.0);
        scopes.ids.push(of_key(key.marker, key.hash));
        let meta = Meta {
            number: memory.number(),
            hash: key.hash,
            order: began.order,
            times: Policy::DEFAULT.times(self.clock.now(), lifetime, 0),
            scopes,
            checked: AtomicU64::new(began.tick),
            reads: AtomicU32::new(0),
            counters: Arc::clone(&self.counters),
            bytes: size_of::<Entry<Owned, T>>() + key.parts.0.len(),
        };
        Entry { meta, key, value }
    }

    pub(super) fn erase(&self, key: &str) -> bool {
        let owned = owned(key);
        self.fence(&owned);
        let was_live = self.live(key).is_some();
        if let Some(slot) = self.memory.as_ref().and_then(|memory| memory.find(&owned)) {
            self.discard(&slot);
        }
        was_live
    }

    pub(super) fn renew(&self, key: &str, lifetime: u64) -> bool {
        let Some(slot) = self.live(key) else {
            return false;
        };
        slot.0.meta().times.renew(self.clock.now(), lifetime);
        true
    }

    /// Adds to a number; one that is not there counts as zero and lives for the default timeout.
    pub(super) fn count(&self, key: &str, by: i64) -> Result<i64, Error> {
        loop {
            let old = self.live(key);
            let (was, lifetime) = match &old {
                None => (0, self.default_timeout),
                Some(slot) => {
                    let number = number(slot.0.value()).ok_or_else(|| {
                        Error::value(key, "is not an `i64`, so nothing can be added to it")
                    })?;
                    (number, slot.0.meta().times.left(self.clock.now()))
                }
            };
            let sum = was.checked_add(by).ok_or_else(|| {
                Error::value(key, format!("is {was}: adding {by} would overflow"))
            })?;
            let seen = old.map(|slot| slot.0.meta().number);
            let unchanged = |now: Option<&Slot>| match (seen, now) {
                (Some(seen), Some(now)) => now.0.meta().number == seen,
                (Some(_), None) => false,
                (None, _) => self.live(key).is_none(),
            };
            if self.memory.is_none() || self.write(key, sum, lifetime.max(1), unchanged) {
                return Ok(sum);
            }
        }
    }

    pub(super) fn at<R: 'static, O: Outcome<R>>(
        self: &Arc<Self>,
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
            Mode::Read,
            &SITE,
            marker,
            (Text(key), ()),
            outcome,
            |_| false,
            plan,
        )
    }
}

fn number(value: &dyn Any) -> Option<i64> {
    value.downcast_ref().copied()
}

/// Text that is owned as a `String`.
struct Text<'a>(&'a str);

impl key::Part for Text<'_> {
    type Owned = String;

    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        std::hash::Hash::hash(self.0, hasher);
    }

    fn matches(&self, owned: &String) -> bool {
        self.0 == owned
    }

    fn own(&self) -> String {
        self.0.to_owned()
    }
}

impl Cache {
    /// The value at a key, if there is one of this type. A stored `None` is a value.
    pub async fn get<T: Value>(&self, key: &str) -> Option<T> {
        self.engine().read(key)
    }

    /// The value at a key, or another.
    pub async fn get_or<T: Value>(&self, key: &str, default: T) -> T {
        self.get(key).await.unwrap_or(default)
    }

    /// Stores a value; a load of this key that is under way will not overwrite it.
    ///
    /// # Errors
    /// The value could not be serialised for a shared store, or the store refused.
    pub async fn set<T: Value>(
        &self,
        key: &str,
        value: T,
        expiry: impl Into<Expiry>,
    ) -> Result<(), Error> {
        let lifetime = self.engine().lifetime(expiry.into());
        self.engine().replace(key, value, lifetime);
        Ok(())
    }

    /// Stores a value if the key has none; of several callers at once, one gets `true`.
    ///
    /// # Errors
    /// As [`set`](Cache::set).
    pub async fn add<T: Value>(
        &self,
        key: &str,
        value: T,
        expiry: impl Into<Expiry>,
    ) -> Result<bool, Error> {
        let engine = self.engine();
        let lifetime = engine.lifetime(expiry.into());
        Ok(engine.write(key, value, lifetime, |_| engine.live(key).is_none()))
    }

    /// Whether the key has a value.
    pub async fn contains(&self, key: &str) -> bool {
        self.engine().live(key).is_some()
    }

    /// Has the value live for so long from now on; `false` if there is none.
    ///
    /// # Errors
    /// The store refused.
    pub async fn touch(&self, key: &str, expiry: impl Into<Expiry>) -> Result<bool, Error> {
        Ok(self
            .engine()
            .renew(key, self.engine().lifetime(expiry.into())))
    }

    /// Removes a value; `false` if there was none.
    ///
    /// # Errors
    /// The store refused.
    pub async fn delete(&self, key: &str) -> Result<bool, Error> {
        Ok(self.engine().erase(key))
    }

    /// Removes several values; returns how many there were.
    ///
    /// # Errors
    /// The store refused.
    pub async fn delete_many(&self, keys: &[&str]) -> Result<usize, Error> {
        Ok(keys.iter().filter(|key| self.engine().erase(key)).count())
    }

    /// Those of several values that are there.
    pub async fn get_many<T: Value>(&self, keys: &[&str]) -> HashMap<String, T> {
        let found = |key: &&str| Some((key.to_string(), self.engine().read(key)?));
        keys.iter().filter_map(found).collect()
    }

    /// Stores several values.
    ///
    /// # Errors
    /// As [`set`](Cache::set).
    pub async fn set_many<T: Value>(
        &self,
        values: impl IntoIterator<Item = (String, T)>,
        expiry: impl Into<Expiry>,
    ) -> Result<(), Error> {
        let lifetime = self.engine().lifetime(expiry.into());
        for (key, value) in values {
            self.engine().replace(&key, value, lifetime);
        }
        Ok(())
    }

    /// The value at a key; if there is none, loads it, once however many ask at the same time.
    ///
    /// # Errors
    /// What the load returned; it is not stored.
    pub async fn get_or_load<T, E, F>(
        &self,
        key: &str,
        expiry: impl Into<Expiry>,
        load: impl FnOnce() -> F,
    ) -> Result<T, E>
    where
        T: Value,
        E: 'static,
        F: Future<Output = Result<T, E>>,
    {
        let lifetime = self.engine().lifetime(expiry.into());
        let outcome: Fallible<T, E> = out::<Result<T, E>>().kind();
        let at = self.engine().at(key, outcome, lifetime);
        match at.0 {
            Place::Hit(result) => result,
            _ => at.run_here(load()).await,
        }
    }

    /// The values at several keys; those that are not there are loaded, all by one call.
    ///
    /// # Errors
    /// What the load returned; nothing is stored then.
    pub async fn get_or_load_many<T, E, F>(
        &self,
        keys: &[&str],
        expiry: impl Into<Expiry>,
        load: impl FnOnce(Vec<String>) -> F,
    ) -> Result<HashMap<String, T>, E>
    where
        T: Value,
        F: Future<Output = Result<HashMap<String, T>, E>>,
    {
        let mut found = self.get_many(keys).await;
        let missing: Vec<String> = keys
            .iter()
            .filter(|key| !found.contains_key(**key))
            .map(ToString::to_string)
            .collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let engine = self.engine();
        let _loading = engine.loading();
        let began = engine.begin();
        let loaded = load(missing).await?;
        let lifetime = engine.lifetime(expiry.into());
        for (key, value) in &loaded {
            engine.write_loaded(key, value.clone(), lifetime, began);
        }
        found.extend(loaded);
        Ok(found)
    }

    /// Adds to a number, atomically, and returns the sum; the expiry stays as it is. A key without
    /// a value counts as zero and gets the default timeout.
    ///
    /// # Errors
    /// The value is no `i64`, the sum would overflow, or the store refused.
    pub async fn increment(&self, key: &str, by: i64) -> Result<i64, Error> {
        self.engine().count(key, by)
    }

    /// Subtracts from a number, as [`increment`](Cache::increment) adds.
    ///
    /// # Errors
    /// As [`increment`](Cache::increment).
    pub async fn decrement(&self, key: &str, by: i64) -> Result<i64, Error> {
        let by = by
            .checked_neg()
            .ok_or_else(|| Error::value(key, "cannot be decremented by `i64::MIN`"))?;
        self.engine().count(key, by)
    }

    /// How long the value lives still; [`Duration::MAX`] if for ever, `None` if there is none.
    pub async fn ttl(&self, key: &str) -> Option<Duration> {
        let slot = self.engine().live(key)?;
        Some(match slot.0.meta().times.left(self.engine().clock.now()) {
            NEVER => Duration::MAX,
            left => Duration::from_nanos(left),
        })
    }

    /// Invalidates everything in this cache, whoever put it there; in constant time.
    pub fn clear(&self) -> Invalidated {
        self.invalidation().all().run()
    }
}

impl Engine {
    /// Stores a value whose load began then, unless the key was written or invalidated since.
    pub(super) fn write_loaded<T: Value>(
        self: &Arc<Self>,
        key: &str,
        value: T,
        lifetime: u64,
        began: crate::engine::Began,
    ) {
        let outcome: Plain<T> = out::<T>().kind();
        let plan = |plan: &mut Plan<T, T, std::convert::Infallible>| {
            plan.prefix(key.into());
            plan.timeout(Duration::from_nanos(lifetime));
        };
        let marker = Marker::of(&ByHand);
        let at = at_in(
            self,
            Mode::Key,
            &SITE,
            marker,
            (Text(key), ()),
            outcome,
            |_| false,
            plan,
        );
        if let Place::Miss { load, .. } = at.0 {
            load.store(&value, began);
        }
    }
}
