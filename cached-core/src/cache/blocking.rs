//! The low-level operations for synchronous code.

use std::collections::HashMap;
use std::time::Duration;

use super::Cache;
use super::api::{Expiry, Value};
use crate::error::Error;
use crate::outcome::{Fallible, out};
use crate::rt::block_on;

/// The operations of a [`Cache`] for synchronous code, inside a runtime and outside of one; made
/// by [`Cache::blocking`].
///
/// Each blocks its thread until it is done, and needs no runtime for that. Only
/// [`get_or_load`](Blocking::get_or_load) ever waits for another caller: where that one is a task
/// that needs this very thread (a single-threaded runtime), it waits in vain up to the cache's
/// [`max_wait`](crate::CacheBuilder::max_wait) and then loads for itself. Use the asynchronous
/// operations there.
#[derive(Clone, Copy, Debug)]
pub struct Blocking<'a>(&'a Cache);

impl Cache {
    /// The same operations for synchronous code.
    pub fn blocking(&self) -> Blocking<'_> {
        Blocking(self)
    }
}

impl Blocking<'_> {
    /// As [`Cache::get`].
    pub fn get<T: Value>(&self, key: &str) -> Option<T> {
        block_on(self.0.get(key))
    }

    /// As [`Cache::get_or`].
    pub fn get_or<T: Value>(&self, key: &str, default: T) -> T {
        block_on(self.0.get_or(key, default))
    }

    /// As [`Cache::set`].
    ///
    /// # Errors
    /// As [`Cache::set`].
    pub fn set<T: Value>(
        &self,
        key: &str,
        value: T,
        expiry: impl Into<Expiry>,
    ) -> Result<(), Error> {
        block_on(self.0.set(key, value, expiry))
    }

    /// As [`Cache::add`].
    ///
    /// # Errors
    /// As [`Cache::add`].
    pub fn add<T: Value>(
        &self,
        key: &str,
        value: T,
        expiry: impl Into<Expiry>,
    ) -> Result<bool, Error> {
        block_on(self.0.add(key, value, expiry))
    }

    /// As [`Cache::contains`].
    pub fn contains(&self, key: &str) -> bool {
        block_on(self.0.contains(key))
    }

    /// As [`Cache::touch`].
    ///
    /// # Errors
    /// As [`Cache::touch`].
    pub fn touch(&self, key: &str, expiry: impl Into<Expiry>) -> Result<bool, Error> {
        block_on(self.0.touch(key, expiry))
    }

    /// As [`Cache::delete`].
    ///
    /// # Errors
    /// As [`Cache::delete`].
    pub fn delete(&self, key: &str) -> Result<bool, Error> {
        block_on(self.0.delete(key))
    }

    /// As [`Cache::delete_many`].
    ///
    /// # Errors
    /// As [`Cache::delete_many`].
    pub fn delete_many(&self, keys: &[&str]) -> Result<usize, Error> {
        block_on(self.0.delete_many(keys))
    }

    /// As [`Cache::get_many`].
    pub fn get_many<T: Value>(&self, keys: &[&str]) -> HashMap<String, T> {
        block_on(self.0.get_many(keys))
    }

    /// As [`Cache::set_many`].
    ///
    /// # Errors
    /// As [`Cache::set_many`].
    pub fn set_many<T: Value>(
        &self,
        values: impl IntoIterator<Item = (String, T)>,
        expiry: impl Into<Expiry>,
    ) -> Result<(), Error> {
        block_on(self.0.set_many(values, expiry))
    }

    /// As [`Cache::get_or_load`], with a synchronous load.
    ///
    /// # Errors
    /// What the load returned; it is not stored.
    pub fn get_or_load<T: Value, E: 'static>(
        &self,
        key: &str,
        expiry: impl Into<Expiry>,
        load: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let engine = self.0.engine();
        let outcome: Fallible<T, E> = out::<Result<T, E>>().kind();
        engine
            .at(key, outcome, engine.lifetime(expiry.into()))
            .call(load)
    }

    /// As [`Cache::get_or_load_many`], with a synchronous load.
    ///
    /// # Errors
    /// What the load returned; nothing is stored then.
    pub fn get_or_load_many<T: Value, E>(
        &self,
        keys: &[&str],
        expiry: impl Into<Expiry>,
        mut load: impl FnMut(Vec<String>) -> Result<HashMap<String, T>, E>,
    ) -> Result<HashMap<String, T>, E> {
        block_on(
            self.0
                .get_or_load_many(keys, expiry, |missing| std::future::ready(load(missing))),
        )
    }

    /// As [`Cache::increment`].
    ///
    /// # Errors
    /// As [`Cache::increment`].
    pub fn increment(&self, key: &str, by: i64) -> Result<i64, Error> {
        block_on(self.0.increment(key, by))
    }

    /// As [`Cache::decrement`].
    ///
    /// # Errors
    /// As [`Cache::decrement`].
    pub fn decrement(&self, key: &str, by: i64) -> Result<i64, Error> {
        block_on(self.0.decrement(key, by))
    }

    /// As [`Cache::ttl`].
    pub fn ttl(&self, key: &str) -> Option<Duration> {
        block_on(self.0.ttl(key))
    }
}
