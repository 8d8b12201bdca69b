//! The store that is configured in the environment, for caches beside the default one.

use std::env;

use dewar::{CacheBuilder, Error};

/// A description of a cache on the shared store; none where the shop runs on its own memory.
pub(crate) fn shared() -> Result<Option<CacheBuilder>, Error> {
    let kind = env::var("CACHE_TYPE").unwrap_or_default().to_lowercase();
    match kind.as_str() {
        "redis" | "rediscache" => CacheBuilder::from_env().map(Some),
        _ => Ok(None),
    }
}
