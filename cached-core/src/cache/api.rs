//! The low-level operations, by a key of the user's own.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use serde_core::{Serialize, de::DeserializeOwned};

use super::Cache;
use super::invalidate::Invalidated;
use crate::clock::NEVER;
use crate::engine::at::Place;
use crate::error::Error;
use crate::outcome::{Fallible, out};
use crate::sync::lock;

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

impl Cache {
    /// The value at a key, if there is one of this type. A stored `None` is a value.
    pub async fn get<T: Value>(&self, key: &str) -> Option<T> {
        match self.engine().read(key) {
            #[cfg(feature = "stores")]
            None => self.engine().fetch(&[key]).await.pop().flatten(),
            found => found,
        }
    }

    /// The value at a key, or another.
    pub async fn get_or<T: Value>(&self, key: &str, default: T) -> T {
        self.get(key).await.unwrap_or(default)
    }

    /// Stores a value; a load of this key that is under way will not overwrite it.
    ///
    /// # Errors
    /// The value could not be serialised for a shared store so that it is read back as it is, and
    /// nothing has changed; or the store refused.
    pub async fn set<T: Value>(
        &self,
        key: &str,
        value: T,
        expiry: impl Into<Expiry>,
    ) -> Result<(), Error> {
        let lifetime = self.engine().lifetime(expiry.into());
        #[cfg(feature = "stores")]
        if self.engine().shares() {
            let one = [(key.to_owned(), value)];
            return self.set_shared(one, lifetime).await;
        }
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
        if engine.memory.is_none() {
            // There is never one already.
            return Ok(true);
        }
        #[cfg(feature = "stores")]
        if engine.shares() {
            // It would be gone at once.
            return match lifetime {
                0 => Ok(false),
                lifetime => engine.add_shared(key, value, lifetime).await,
            };
        }
        Ok(engine.write(key, value, lifetime, |_| engine.live(key).is_none()))
    }

    /// Whether the key has a value.
    pub async fn contains(&self, key: &str) -> bool {
        let live = self.engine().live(key).is_some();
        #[cfg(feature = "stores")]
        if !live && self.engine().shares() {
            return self.engine().left_shared(key).await.is_some();
        }
        live
    }

    /// Has the value live for so long from now on; `false` if there is none.
    ///
    /// # Errors
    /// The store refused.
    pub async fn touch(&self, key: &str, expiry: impl Into<Expiry>) -> Result<bool, Error> {
        let lifetime = self.engine().lifetime(expiry.into());
        #[cfg(feature = "stores")]
        if self.engine().shares() {
            return self.engine().touch_shared(key, lifetime).await;
        }
        Ok(self.engine().renew(key, lifetime))
    }

    /// Removes a value; `false` if there was none.
    ///
    /// # Errors
    /// The store refused.
    pub async fn delete(&self, key: &str) -> Result<bool, Error> {
        #[cfg(feature = "stores")]
        if self.engine().shares() {
            return Ok(self.engine().withdraw(&[key]).await? > 0);
        }
        Ok(self.engine().erase(key))
    }

    /// Removes several values; returns how many there were.
    ///
    /// # Errors
    /// The store refused.
    pub async fn delete_many(&self, keys: &[&str]) -> Result<usize, Error> {
        #[cfg(feature = "stores")]
        if self.engine().shares() {
            return self.engine().withdraw(keys).await;
        }
        Ok(keys.iter().filter(|key| self.engine().erase(key)).count())
    }

    /// Those of several values that are there.
    pub async fn get_many<T: Value>(&self, keys: &[&str]) -> HashMap<String, T> {
        let found = |key: &&str| Some((key.to_string(), self.engine().read(key)?));
        #[cfg_attr(not(feature = "stores"), expect(unused_mut, reason = "memory is all"))]
        let mut all: HashMap<String, T> = keys.iter().filter_map(found).collect();
        #[cfg(feature = "stores")]
        if self.engine().shares() {
            let missing = keys.iter().filter(|key| !all.contains_key(**key));
            let missing: Vec<&str> = missing.copied().collect();
            let fetched = self.engine().fetch(&missing).await;
            let fetched = missing.iter().zip(fetched);
            all.extend(fetched.filter_map(|(key, value)| Some((key.to_string(), value?))));
        }
        all
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
        #[cfg(feature = "stores")]
        if self.engine().shares() {
            return self.set_shared(values, lifetime).await;
        }
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

    /// The values at several keys; those that are not there are loaded, each once however many ask
    /// at the same time: one call of `load` has the keys that nobody else is loading.
    ///
    /// It is called again only for keys of another caller whose load failed or was given up. What
    /// it returns beyond the keys that it was given is returned, and not stored.
    ///
    /// # Errors
    /// What the load returned; nothing is stored then.
    pub async fn get_or_load_many<T, E, F>(
        &self,
        keys: &[&str],
        expiry: impl Into<Expiry>,
        load: impl FnMut(Vec<String>) -> F,
    ) -> Result<HashMap<String, T>, E>
    where
        T: Value,
        F: Future<Output = Result<HashMap<String, T>, E>>,
    {
        let lifetime = self.engine().lifetime(expiry.into());
        let load = Mutex::new(load);
        let load = &load;
        let body = move |missing| lock(load)(missing);
        self.engine().batch(keys, lifetime).run(body, None).await
    }

    /// Adds to a number, atomically, and returns the sum; the expiry stays as it is. A key without
    /// a value counts as zero and gets the default timeout.
    ///
    /// # Errors
    /// The value is no integer, the sum would overflow, or the store refused.
    pub async fn increment(&self, key: &str, by: i64) -> Result<i64, Error> {
        self.count(key, by).await
    }

    /// Subtracts from a number, as [`increment`](Cache::increment) adds.
    ///
    /// # Errors
    /// As [`increment`](Cache::increment).
    pub async fn decrement(&self, key: &str, by: i64) -> Result<i64, Error> {
        let by = by
            .checked_neg()
            .ok_or_else(|| Error::value(key, "cannot be decremented by `i64::MIN`"))?;
        self.count(key, by).await
    }

    async fn count(&self, key: &str, by: i64) -> Result<i64, Error> {
        #[cfg(feature = "stores")]
        if self.engine().shares() {
            return self.engine().count_shared(key, by).await;
        }
        self.engine().count(key, by)
    }

    /// Stores values for all processes; those that live for no time at all are removed.
    #[cfg(feature = "stores")]
    async fn set_shared<T: Value>(
        &self,
        values: impl IntoIterator<Item = (String, T)>,
        lifetime: u64,
    ) -> Result<(), Error> {
        let values: Vec<(String, T)> = values.into_iter().collect();
        if lifetime > 0 {
            return self.engine().publish(values, lifetime).await;
        }
        let keys: Vec<&str> = values.iter().map(|(key, _)| key.as_str()).collect();
        self.engine().withdraw(&keys).await.map(drop)
    }

    /// How long the value lives still; [`Duration::MAX`] if for ever, `None` if there is none.
    pub async fn ttl(&self, key: &str) -> Option<Duration> {
        #[cfg(feature = "stores")]
        if self.engine().live(key).is_none() && self.engine().shares() {
            return Some(match self.engine().left_shared(key).await? {
                NEVER => Duration::MAX,
                left => Duration::from_nanos(left),
            });
        }
        let slot = self.engine().live(key)?;
        Some(match slot.meta().times().left(self.engine().clock.now()) {
            NEVER => Duration::MAX,
            left => Duration::from_nanos(left),
        })
    }

    /// Invalidates everything in this cache, whoever put it there; in constant time.
    pub fn clear(&self) -> Invalidated {
        self.invalidation().all().run()
    }
}
