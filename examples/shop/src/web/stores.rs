//! The store that is configured in the environment, for caches beside the default one.

use std::env;

use dewar::{CacheBuilder, Error};

/// A description of a cache on the shared store; none where the shop runs on its own memory, or on
/// no cache at all.
pub(crate) fn shared() -> Result<Option<CacheBuilder>, Error> {
    match kind(&named()).as_str() {
        "" | "memory" | "simple" | "null" => Ok(None),
        _ => CacheBuilder::from_env().map(Some),
    }
}

/// The same, if that store is Redis: one server, sentinels or a cluster.
pub(crate) fn redis() -> Option<CacheBuilder> {
    is_redis(&named())
        .then(|| shared().ok().flatten())
        .flatten()
}

fn named() -> String {
    env::var("CACHE_TYPE").unwrap_or_default()
}

fn is_redis(named: &str) -> bool {
    let kinds = ["redis", "valkey", "redissentinel", "rediscluster"];
    kinds.contains(&kind(named).as_str())
}

/// In small letters, without the module that Flask-Caching's names may begin with, and without the
/// `Cache` that they end with.
fn kind(named: &str) -> String {
    let kind = named.trim().to_lowercase();
    let kind = kind.rsplit('.').next().unwrap_or_default();
    kind.strip_suffix("cache").unwrap_or(kind).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{is_redis, kind};

    #[test]
    fn redis_is_known_by_all_its_names() {
        let modules = ["", "flask_caching.backends."];
        for name in [
            "redis",
            "valkey",
            "RedisCache",
            "RedisSentinelCache",
            "RedisClusterCache",
        ] {
            for module in modules {
                assert!(is_redis(&format!("{module}{name}")), "{module}{name}");
            }
        }
        for name in ["", "memory", "SimpleCache", "memcached", "database"] {
            assert!(!is_redis(name), "{name}");
        }
        assert_eq!(
            (kind(" NullCache "), kind("")),
            ("null".into(), String::new())
        );
    }
}
