//! Settings from text: environment variables with Flask-Caching's names.

use std::time::Duration;

use super::builder::{CacheBuilder, StoreKind};
use super::{Cache, builder};
use crate::error::Error;

impl CacheBuilder {
    /// A description from environment variables, with Flask-Caching's names:
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `CACHE_TYPE` | `memory` (also `SimpleCache`, `simple`) or `null` (also `NullCache`) |
    /// | `CACHE_DEFAULT_TIMEOUT` | seconds, or `never` |
    /// | `CACHE_THRESHOLD` | entries at most |
    /// | `CACHE_MAX_BYTES` | bytes at most, instead of entries |
    ///
    /// What is not set keeps its default. `CACHE_KEY_PREFIX` means nothing within one process;
    /// the settings of shared stores, which this version does not have, are refused.
    ///
    /// ```
    /// use dewar::CacheBuilder;
    ///
    /// let cache = CacheBuilder::from_env()?.build()?;
    /// # Ok::<(), dewar::Error>(())
    /// ```
    ///
    /// # Errors
    /// A variable that cannot be read: the message names it, its value and what is accepted.
    pub fn from_env() -> Result<CacheBuilder, Error> {
        from_lookup(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(error) => Err(Error::config(name, "is not valid Unicode").with_source(error)),
        })
    }
}

/// The same from anything that maps names to values.
fn from_lookup(get: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<CacheBuilder, Error> {
    let mut builder = Cache::builder();
    if let Some(kind) = get("CACHE_TYPE")? {
        builder = builder.store(store_kind("CACHE_TYPE", &kind)?);
    }
    if let Some(timeout) = get("CACHE_DEFAULT_TIMEOUT")? {
        builder = match timeout.trim() {
            "never" => builder.never_expire(),
            text => builder.default_timeout(seconds("CACHE_DEFAULT_TIMEOUT", text)?),
        };
    }
    if let Some(entries) = get("CACHE_THRESHOLD")? {
        builder = builder.max_entries(count("CACHE_THRESHOLD", &entries, "entries")?);
    }
    if let Some(bytes) = get("CACHE_MAX_BYTES")? {
        builder = builder.max_bytes(count("CACHE_MAX_BYTES", &bytes, "bytes")?);
    }
    for name in OF_SHARED_STORES {
        if get(name)?.is_some() {
            return Err(Error::config(
                name,
                "is set, and this version has no shared stores yet: unset it, and leave `CACHE_TYPE` \
                 out or at `memory`",
            ));
        }
    }
    Ok(builder)
}

/// Settings that would be without effect. What they hold is not repeated: it may be a secret.
const OF_SHARED_STORES: [&str; 8] = [
    "CACHE_REDIS_URL",
    "CACHE_REDIS_HOST",
    "CACHE_REDIS_PORT",
    "CACHE_REDIS_PASSWORD",
    "CACHE_REDIS_DB",
    "CACHE_MEMCACHED_SERVERS",
    "CACHE_DIR",
    "CACHE_DATABASE_URL",
];

/// A store by its name, in Flask-Caching's spellings, old and new.
pub(super) fn store_kind(setting: &str, name: &str) -> Result<StoreKind, Error> {
    let plain = name.trim().to_ascii_lowercase();
    let plain = plain.rsplit('.').next().unwrap_or_default();
    match plain.strip_suffix("cache").unwrap_or(plain) {
        "memory" | "simple" => Ok(StoreKind::Memory),
        "null" => Ok(StoreKind::Null),
        "redis" | "redissentinel" | "rediscluster" | "memcached" | "filesystem" | "database" => {
            Err(Error::config(
                setting,
                format!(
                    "is `{name}`: this version has no shared stores yet; accepted are `memory` and `null`"
                ),
            ))
        }
        _ => Err(Error::config(
            setting,
            format!(
                "is `{name}`: accepted are `memory` (or `SimpleCache`) and `null` (or `NullCache`)"
            ),
        )),
    }
}

pub(super) fn seconds(setting: &str, text: &str) -> Result<Duration, Error> {
    let refuse = |why: &str| {
        let most = builder::DEFAULT_TIMEOUT.as_secs();
        Error::config(
            setting,
            format!("is `{text}`{why}: give seconds, such as `{most}` or `0.5`, or `never`"),
        )
    };
    let seconds: f64 = text.trim().parse().map_err(|_| refuse(""))?;
    if seconds == 0.0 {
        return Err(refuse(
            ", which means \"for ever\" to some and \"not stored\" to others",
        ));
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(refuse("")),
    }
}

fn count(setting: &str, text: &str, what: &str) -> Result<u64, Error> {
    match text.trim().parse() {
        Ok(0) | Err(_) => Err(Error::config(
            setting,
            format!("is `{text}`: give a number of {what}, at least 1"),
        )),
        Ok(count) => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Result<CacheBuilder, Error> {
        from_lookup(|asked| Ok((asked == name).then(|| value.to_owned())))
    }

    fn refusal(name: &'static str, value: &'static str) -> String {
        let Err(error) = with(name, value) else {
            return "accepted".into();
        };
        assert!(error.is_config());
        error.to_string()
    }

    #[test]
    fn old_and_new_spellings_of_the_types_are_accepted() {
        for memory in [
            "memory",
            "simple",
            "SimpleCache",
            "flask_caching.backends.SimpleCache",
        ] {
            assert_eq!(
                store_kind("CACHE_TYPE", memory).ok(),
                Some(StoreKind::Memory),
                "{memory}"
            );
        }
        for null in ["null", "NullCache", "nullcache"] {
            assert_eq!(
                store_kind("CACHE_TYPE", null).ok(),
                Some(StoreKind::Null),
                "{null}"
            );
        }
    }

    #[test]
    fn what_does_not_parse_is_named_with_what_would() {
        assert_eq!(
            refusal("CACHE_TYPE", "memry"),
            "`CACHE_TYPE` is `memry`: accepted are `memory` (or `SimpleCache`) and `null` (or `NullCache`)"
        );
        assert_eq!(
            refusal("CACHE_DEFAULT_TIMEOUT", "soon"),
            "`CACHE_DEFAULT_TIMEOUT` is `soon`: give seconds, such as `300` or `0.5`, or `never`"
        );
        assert!(refusal("CACHE_DEFAULT_TIMEOUT", "0").contains("for ever"));
        assert!(refusal("CACHE_DEFAULT_TIMEOUT", "-1").contains("is `-1`"));
        assert!(refusal("CACHE_DEFAULT_TIMEOUT", "1e300").contains("is `1e300`"));
        assert!(refusal("CACHE_DEFAULT_TIMEOUT", "1e-30").contains("is `1e-30`"));
        assert_eq!(
            refusal("CACHE_REDIS_URL", "redis://:secret@host"),
            "`CACHE_REDIS_URL` is set, and this version has no shared stores yet: unset it, and leave \
             `CACHE_TYPE` out or at `memory`"
        );
        assert_eq!(
            refusal("CACHE_THRESHOLD", "0"),
            "`CACHE_THRESHOLD` is `0`: give a number of entries, at least 1"
        );
        assert!(refusal("CACHE_THRESHOLD", "-5").contains("is `-5`"));
        assert!(refusal("CACHE_MAX_BYTES", "1MB").contains("is `1MB`"));
    }

    #[test]
    fn nothing_set_is_the_default() {
        assert!(
            from_lookup(|_| Ok(None))
                .and_then(CacheBuilder::build)
                .is_ok()
        );
    }
}
