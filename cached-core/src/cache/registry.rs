//! The caches of this process: the default one, and those that have a name.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use super::Cache;
use crate::error::{Error, Kind};
use crate::sync::lock;

/// Set once, by configuration.
static CONFIGURED: OnceLock<Cache> = OnceLock::new();
/// What serves until then, and for good where nothing is ever configured.
static BUILT_IN: OnceLock<Cache> = OnceLock::new();
static NAMED: Mutex<BTreeMap<String, Cache>> = Mutex::new(BTreeMap::new());

/// The default cache.
#[inline]
pub(crate) fn default_cache() -> &'static Cache {
    CONFIGURED
        .get()
        .unwrap_or_else(|| BUILT_IN.get_or_init(built_in))
}

#[cold]
fn built_in() -> Cache {
    // The settings are constants that `build` accepts.
    let cache = super::Cache::builder()
        .build()
        .unwrap_or_else(|error| unreachable!("{error}"));
    publish(&cache, &lock(&NAMED));
    cache
}

/// Gives a cache a name that no other has of those whose figures are published.
#[cfg(any(feature = "dashboard", feature = "metrics"))]
fn publish(cache: &Cache, named: &BTreeMap<String, Cache>) {
    let default = CONFIGURED.get().or_else(|| BUILT_IN.get());
    let others: Vec<&Cache> = named.values().chain(default).collect();
    let taken = |name: &str| {
        let mut others = others.iter().filter(|other| !other.same(cache));
        others.any(|other| other.engine().watch.published() == Some(name))
    };
    let name = crate::figures::free(cache.name(), taken);
    cache.engine().watch.publish(name);
}

#[cfg(not(any(feature = "dashboard", feature = "metrics")))]
fn publish(_: &Cache, _: &BTreeMap<String, Cache>) {}

/// Has a cache be the default one.
pub(crate) fn install(cache: Cache) -> Result<Cache, Error> {
    let named = lock(&NAMED);
    match CONFIGURED.set(cache) {
        Ok(()) => {
            #[cfg(any(feature = "dashboard", feature = "metrics"))]
            if let Some(before) = BUILT_IN.get() {
                before.engine().watch.retire();
            }
            publish(default_cache(), &named);
            Ok(default_cache().clone())
        }
        Err(_) => {
            let what = "the default cache".into();
            Err(Error::new(Kind::AlreadyConfigured { what }))
        }
    }
}

/// Registers a cache under its name.
pub(crate) fn register(cache: Cache) -> Result<Cache, Error> {
    let mut named = lock(&NAMED);
    if named.contains_key(cache.name()) {
        let what = format!("the cache `{}`", cache.name());
        return Err(Error::new(Kind::AlreadyConfigured { what }));
    }
    publish(&cache, &named);
    named.insert(cache.name().to_owned(), cache.clone());
    Ok(cache)
}

/// The default cache, and those that have a name.
pub(crate) fn all() -> Vec<Cache> {
    let mut all = vec![default_cache().clone()];
    for cache in lock(&NAMED).values() {
        if !all.iter().any(|known| known.same(cache)) {
            all.push(cache.clone());
        }
    }
    all
}

/// A registered cache.
pub(crate) fn named(name: &str) -> Result<Cache, Error> {
    let named = lock(&NAMED);
    named.get(name).cloned().ok_or_else(|| {
        let known = named.keys().cloned().collect();
        Error::new(Kind::UnknownCache {
            name: name.to_owned(),
            known,
        })
    })
}

impl Cache {
    /// The cache that annotated functions use which name no other: the innermost
    /// [`scope`](Cache::scope)'s, else the configured one, else a built-in one of 10,000 entries.
    pub fn current() -> Cache {
        super::current::cache(true).unwrap_or_else(|| default_cache().clone())
    }

    /// The cache registered under a name.
    ///
    /// # Errors
    /// [`Error::is_unknown_cache`]: the message lists the names there are.
    pub fn named(name: &str) -> Result<Cache, Error> {
        named(name)
    }
}
