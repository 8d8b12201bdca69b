//! The store that is configured in the environment, for caches beside the default one.

use std::env;

use dewar::{CacheBuilder, Error};

/// A description of a cache on the shared store; none where the shop runs on its own memory, or on
/// no cache at all.
pub(crate) fn shared() -> Result<Option<CacheBuilder>, Error> {
    match kind().as_str() {
        "" | "memory" | "simple" | "simplecache" | "null" | "nullcache" => Ok(None),
        _ => CacheBuilder::from_env().map(Some),
    }
}

/// The same, if that store is Redis.
pub(crate) fn redis() -> Option<CacheBuilder> {
    let redis = matches!(kind().as_str(), "redis" | "rediscache");
    redis.then(|| shared().ok().flatten()).flatten()
}

/// In small letters, and without the module that Flask-Caching's names may begin with.
fn kind() -> String {
    let kind = env::var("CACHE_TYPE").unwrap_or_default().to_lowercase();
    kind.rsplit('.').next().unwrap_or_default().to_owned()
}
