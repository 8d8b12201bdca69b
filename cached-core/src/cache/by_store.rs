//! The low-level operations, where there is a shared store: every process sees the same values.
//!
//! What is read is kept in memory as a copy; what is written is told to the others. `add`, `touch`
//! and counting are decided by the store, whatever memory holds: of all processes one wins.

use std::sync::Arc;

use super::api::Value;
use crate::clock::{NEVER, Nanos};
use crate::codec::Format;
use crate::engine::Engine;
use crate::engine::at::{At, Mode, Place};
use crate::engine::call::Load;
use crate::engine::peek::fetch_all;
use crate::engine::through::publish_all;
use crate::error::Error;
use crate::store::guard::Budget;
use crate::store::names::Names;
use crate::store::tier::{Fetched, Tier, Value as Stored};
use crate::store::versions::Versions;
use crate::store::write::Written;
use crate::store::{Found, Item};

/// How often something is tried while other processes change the same key.
const ATTEMPTS: usize = 1000;

/// How often nothing is found at a key and nothing can be put there: others may add and delete by turns.
const FOREIGN: usize = 10;

type LoadOf<T> = Arc<dyn Load<T>>;

/// What the store has at one key, and what it takes to change that.
struct Spot<'a> {
    tier: Arc<Tier>,
    names: &'a Names,
    budget: Budget,
    /// The bytes that are there, valid or not.
    raw: Option<Vec<u8>>,
    value: Option<Stored>,
    /// How long the value is good for still.
    left: Nanos,
    versions: Versions,
}

/// What is to stand at a key.
struct New {
    value: Vec<u8>,
    format: Format,
    lifetime: Nanos,
}

impl Engine {
    /// Whether there is a shared store that these operations have to ask.
    pub(crate) fn shares(&self) -> bool {
        self.tier.is_some() && self.memory.is_some()
    }

    fn place_of<T: Value>(self: &Arc<Self>, key: &str, lifetime: u64) -> Option<LoadOf<T>> {
        let at: At<T> = self.value_at(Mode::Key, key, lifetime);
        match at.0 {
            Place::Miss { load, .. } => Some(load),
            _ => None,
        }
    }

    /// The values that the store has at several keys, read in one operation and kept in memory.
    pub(super) async fn fetch<T: Value>(self: &Arc<Self>, keys: &[&str]) -> Vec<Option<T>> {
        if !self.shares() {
            return keys.iter().map(|_| None).collect();
        }
        // It lives as long as what it is a copy of.
        let place = |key: &&str| self.place_of::<T>(key, NEVER);
        let loads: Vec<LoadOf<T>> = keys.iter().filter_map(place).collect();
        fetch_all(self, &loads.iter().collect::<Vec<_>>()).await
    }

    /// Has all processes see these values.
    pub(super) async fn publish<T: Value>(
        self: &Arc<Self>,
        values: Vec<(String, T)>,
        lifetime: u64,
    ) -> Result<(), Error> {
        let mut encoded = Vec::new();
        for (key, value) in values {
            let at: At<T> = self.value_at(Mode::Key, &key, lifetime);
            let Place::Miss { load, .. } = &at.0 else {
                continue;
            };
            let bytes = load.encode(&value).ok_or_else(|| unserialisable(&key))?;
            encoded.push((Arc::clone(load), at, value, bytes));
        }
        // All of them can be written: else none is here either.
        let mut published = Vec::new();
        for (load, at, value, bytes) in encoded {
            at.place(&value)?;
            published.push((load, Some(bytes)));
        }
        publish_all(published).await
    }

    /// Has no process see what is at these keys; says how many there were.
    pub(super) async fn withdraw(self: &Arc<Self>, keys: &[&str]) -> Result<usize, Error> {
        let mut known = keys.to_vec();
        known.sort_unstable();
        known.dedup();
        let loads: Vec<LoadOf<()>> = known
            .iter()
            .filter_map(|key| self.place_of(key, self.default_timeout))
            .collect();
        let Some(tier) = self.tier.clone() else {
            return Ok(0);
        };
        let names: Vec<&Names> = loads
            .iter()
            .filter_map(|load| load.base().names.as_ref())
            .collect();
        let there = tier.peek(&tier.budget(), &names).await;
        let (there, raw): (Vec<bool>, Vec<Found>) = (there.into_iter())
            .map(|found| (found.value.is_some(), found.raw))
            .unzip();
        let own: Vec<String> = names.iter().filter_map(|names| names.own()).collect();
        let mut delivery = tier.announce(own, false);
        let erased: Vec<bool> = known.iter().map(|key| self.erase(key)).collect();
        let mut withdrawn = delivery.written().await;
        if withdrawn.as_ref().is_err_and(Error::is_refused) {
            // It will be void, and there may be room for that when it is gone.
            tier.remove(&names).await;
            withdrawn = delivery.written().await;
        }
        if delivery.contended() {
            // What was set meanwhile may be void.
            for key in &known {
                self.erase(key);
            }
        }
        withdrawn?;
        // What is there by now may have been stored since.
        tier.free(&names, raw).await;
        let existed = |n: &usize| erased[*n] || there.get(*n) == Some(&true);
        Ok((0..known.len()).filter(existed).count())
    }

    /// Stores a value if no process has stored one.
    pub(super) async fn add_shared<T: Value>(
        self: &Arc<Self>,
        key: &str,
        value: T,
        lifetime: u64,
    ) -> Result<bool, Error> {
        let at: At<T> = self.value_at(Mode::Key, key, lifetime);
        let Place::Miss { load, .. } = &at.0 else {
            return Ok(true);
        };
        let (mut bytes, lifetime) = load.encode(&value).ok_or_else(|| unserialisable(key))?;
        // Before anything is there for others to take away: as for any load.
        self.fence(load.key());
        let _loading = self.loading(load.base().hash);
        let began = self.begin();
        let mut new = None;
        let mut strange = Strange::default();
        for _ in 0..ATTEMPTS {
            let spot = self.spot(&**load).await?;
            if spot.value.is_some() {
                return Ok(false);
            }
            let new = new.get_or_insert_with(|| New {
                value: std::mem::take(&mut bytes),
                format: spot.tier.format(),
                lifetime,
            });
            let changing = Changing::new(self, key, &spot);
            let won = spot.put(new, key, strange.sees(&spot)).await?;
            // The store may have lost what others have copies of.
            changing.done(won).await;
            if won {
                if !load.store(&value, began) {
                    self.forget(load.key());
                }
                return Ok(true);
            }
        }
        Err(contended())
    }

    /// Has the value live for so long from now on, if there is one.
    pub(super) async fn touch_shared(
        self: &Arc<Self>,
        key: &str,
        lifetime: u64,
    ) -> Result<bool, Error> {
        let changed = self.change(key, |value| {
            let value = value.map(|(value, bytes)| New {
                value: bytes.to_vec(),
                format: value.format,
                lifetime,
            });
            Ok(value.map(|new| (new, ())))
        });
        Ok(changed.await?.is_some())
    }

    /// Adds to a number; one that is not there counts as zero and lives for the default timeout.
    pub(super) async fn count_shared(self: &Arc<Self>, key: &str, by: i64) -> Result<i64, Error> {
        let default = self.default_timeout.max(1);
        let changed = self.change(key, |value| {
            let (old, format, lifetime) = match value {
                None => (0, Format::default(), default),
                Some((value, bytes)) => {
                    let number = value.format.decode::<i64>(bytes);
                    let what = "is not an integer, so nothing can be added to it";
                    let number = number.ok_or_else(|| Error::value(key, what))?;
                    (number, value.format, value.left)
                }
            };
            let sum = old.checked_add(by).ok_or_else(|| {
                Error::value(key, format!("is {old}: adding {by} would overflow"))
            })?;
            let value = format.encode(&sum).unwrap_or_default();
            let new = New {
                value,
                format,
                lifetime,
            };
            Ok(Some((new, sum)))
        });
        changed.await.map(Option::unwrap_or_default)
    }

    /// Changes what is at a key into something that is made of it, so that no change by any process
    /// is lost; none if there is nothing to change.
    async fn change<T>(
        self: &Arc<Self>,
        key: &str,
        make: impl Fn(Option<(&Stored, &[u8])>) -> Result<Option<(New, T)>, Error>,
    ) -> Result<Option<T>, Error> {
        let Some(load) = self.place_of::<()>(key, self.default_timeout) else {
            return Ok(None);
        };
        let mut strange = Strange::default();
        for _ in 0..ATTEMPTS {
            let spot = self.spot(&*load).await?;
            let there = spot.value.as_ref();
            let Some((new, made)) = make(there.map(|it| (it, it.bytes(&spot.raw))))? else {
                return Ok(None);
            };
            let changing = Changing::new(self, key, &spot);
            let changed = spot.put(&new, key, strange.sees(&spot)).await?;
            if changed {
                self.erase(key);
            }
            changing.done(changed).await;
            if changed {
                return Ok(Some(made));
            }
        }
        Err(contended())
    }

    /// How long what the store has at a key is good for still.
    pub(super) async fn left_shared(self: &Arc<Self>, key: &str) -> Option<Nanos> {
        let load = self.place_of::<()>(key, self.default_timeout)?;
        let (tier, names) = (self.tier.as_ref()?, load.base().names.as_ref()?);
        let there = tier.peek(&tier.budget(), &[names]).await.pop()?;
        Some(there.value?.left)
    }

    async fn spot<'a, T>(&self, load: &'a dyn Load<T>) -> Result<Spot<'a>, Error> {
        let unknown = || Error::store("say what is there", "it does not answer");
        let tier = self.tier.clone().ok_or_else(unknown)?;
        let names = load.base().names.as_ref().ok_or_else(unknown)?;
        let budget = tier.budget();
        let mut fetched = Fetched::default();
        for _ in 0..ATTEMPTS {
            let settled = tier.settle(names).await;
            fetched = (tier.fetch(&budget, &[names]).await)
                .pop()
                .unwrap_or_default();
            if !settled || !fetched.overtaken {
                break;
            }
        }
        fetched.count_unreadable(&load.base().counters);
        Ok(Spot {
            versions: fetched.versions.ok_or_else(unknown)?,
            raw: fetched.raw,
            left: fetched.value.as_ref().map_or(0, |value| value.left),
            value: fetched.value,
            tier,
            names,
            budget,
        })
    }
}

/// A change that the store may have carried out without anybody hearing of it: no copy is good then.
struct Changing<'a> {
    engine: &'a Engine,
    key: &'a str,
    spot: &'a Spot<'a>,
    unsure: bool,
}

impl<'a> Changing<'a> {
    fn new(engine: &'a Engine, key: &'a str, spot: &'a Spot<'a>) -> Self {
        Changing {
            engine,
            key,
            spot,
            unsure: true,
        }
    }

    /// The store has said whether it did.
    async fn done(mut self, changed: bool) {
        if changed {
            let (tier, own) = (&self.spot.tier, self.spot.names.own());
            tier.tell_changed(&self.spot.budget, own.as_slice()).await;
        }
        self.unsure = false;
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        if self.unsure {
            self.engine.erase(self.key);
            let own = self.spot.names.own();
            self.spot.tier.tell_changed_later(own.as_slice(), 0);
        }
    }
}

/// How often nothing was at a key, in a row: where something can be put there, that is once.
#[derive(Default)]
struct Strange(usize);

impl Strange {
    /// Says whether what is there is of no cache's, since nothing is read and nothing can be put there.
    fn sees(&mut self, spot: &Spot<'_>) -> bool {
        self.0 = match spot.raw {
            None => self.0 + 1,
            Some(_) => 0,
        };
        self.0 > FOREIGN
    }
}

impl Spot<'_> {
    /// Stores something, unless somebody else has since this was read; with `over`, whatever is there.
    async fn put(&self, new: &New, key: &str, over: bool) -> Result<bool, Error> {
        let written = Written {
            names: self.names,
            versions: self.versions.clone(),
            value: new.value.clone(),
            format: new.format,
            lifetime: new.lifetime,
            stale: 0,
            useful: new.lifetime,
        };
        if over {
            let written = self.tier.write(&self.budget, &written).await;
            return written.map(|()| true);
        }
        let item: Item = self
            .tier
            .item(&written)
            .ok_or_else(|| unserialisable(key))?;
        let raw = self.raw.clone();
        if new.lifetime <= self.left {
            return self.tier.put(&self.budget, raw, item).await;
        }
        self.tier
            .put_for_longer(&self.budget, raw, item, self.names)
            .await
    }
}

fn contended() -> Error {
    Error::refused("change a value", "others changed it again and again")
}

fn unserialisable(key: &str) -> Error {
    Error::value(
        key,
        "cannot be serialised for the shared store so that it is read back as it is",
    )
}
