//! Settings from text: environment variables with Flask-Caching's names.

use std::time::Duration;

use super::builder::CacheBuilder;
use super::settings::{self, Kind, Source};
use super::{Cache, builder};
use crate::error::Error;
use crate::watch::EventKeys;

impl CacheBuilder {
    /// A description from environment variables, with Flask-Caching's names:
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `CACHE_TYPE` | `memory` (also `SimpleCache`, `simple`), `null` (also `NullCache`), `redis` (also `RedisCache`), `memcached`, `filesystem`, `database` |
    /// | `CACHE_DEFAULT_TIMEOUT` | seconds, or `never` |
    /// | `CACHE_THRESHOLD` | entries at most |
    /// | `CACHE_MAX_BYTES` | bytes at most, instead of entries |
    /// | `CACHE_EVENT_KEYS` | how much of keys is told: `prefixes`, `shown`, `hashed`, `hidden`; see [`EventKeys`] |
    ///
    /// For shared stores, each with the feature of its name:
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `CACHE_KEY_PREFIX` | what keys begin with |
    /// | `CACHE_REDIS_URL` | all about a Redis server in one line |
    /// | `CACHE_REDIS_HOST`, `_PORT`, `_DB`, `_USERNAME`, `_PASSWORD` | the same one by one |
    /// | `CACHE_REDIS_UNIX_SOCKET_PATH` | a socket instead of a host |
    /// | `CACHE_REDIS_SENTINELS`, `CACHE_REDIS_SENTINEL_MASTER`, `CACHE_REDIS_SENTINEL_PASSWORD` | sentinels, `host:port` with commas between them, and the name of the service |
    /// | `CACHE_REDIS_CLUSTER` | nodes of a cluster, `host:port` with commas between them |
    /// | `CACHE_MEMCACHED_SERVERS` | servers, `host:port` with commas between them |
    /// | `CACHE_DATABASE_URL` | `postgres://…` or `sqlite:…` |
    /// | `CACHE_DIR` | a directory for files |
    /// | `CACHE_STORE_TIMEOUT`, `CACHE_MEMORY_COPIES` | seconds; see [`store_timeout`](crate::CacheBuilder) and `memory_copies` |
    /// | `CACHE_FORMAT` | `json`, `msgpack`, `postcard` |
    /// | `CACHE_COMPRESS_FROM` | bytes |
    /// | `CACHE_SEAL_KEYS` | keys of 64 hexadecimal digits with commas between them |
    /// | `CACHE_CHECK_STORE` | `true`: a store that does not answer is an error at the start |
    ///
    /// What is not set keeps its default. A setting that would be without effect is refused.
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
    let kind = match get("CACHE_TYPE")? {
        Some(kind) => settings::kind("CACHE_TYPE", &kind)?,
        None => Kind::Memory,
    };
    let name = |name: &str| format!("CACHE_{}", name.to_ascii_uppercase());
    let source = Source {
        get: &|plain| get(&name(plain)),
        name: &name,
    };
    let mut builder = settings::apply(Cache::builder(), kind, &source)?;
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
    if let Some(keys) = get("CACHE_EVENT_KEYS")? {
        builder = builder.event_keys(EventKeys::of_setting("CACHE_EVENT_KEYS", &keys)?);
    }
    Ok(builder)
}

pub(super) fn seconds(setting: &str, text: &str) -> Result<Duration, Error> {
    let refuse = |why: &str| {
        let most = builder::DEFAULT_TIMEOUT.as_secs();
        Error::config(
            setting,
            format!(
                "is `{}`{why}: give seconds, such as `{most}` or `0.5`, or `never`",
                Error::shown(text)
            ),
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
            format!(
                "is `{}`: give a number of {what}, at least 1",
                Error::shown(text)
            ),
        )),
        Ok(count) => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<CacheBuilder, Error> {
        from_lookup(|asked| {
            let found = pairs.iter().find(|(name, _)| *name == asked);
            Ok(found.map(|(_, value)| (*value).to_owned()))
        })
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        let Err(error) = with(pairs) else {
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
            let kind = settings::kind("CACHE_TYPE", memory).ok();
            assert_eq!(kind, Some(Kind::Memory), "{memory}");
        }
        for null in ["null", "NullCache", "nullcache"] {
            let kind = settings::kind("CACHE_TYPE", null).ok();
            assert_eq!(kind, Some(Kind::Null), "{null}");
        }
    }

    #[test]
    fn what_does_not_parse_is_named_with_what_would() {
        let refusal = |name, value| refusal(&[(name, value)]);
        let text = refusal("CACHE_TYPE", "memry");
        let start = "`CACHE_TYPE` is `memry`: accepted are `memory` (or `SimpleCache`), `null`";
        assert!(text.starts_with(start), "{text}");
        assert_eq!(
            refusal("CACHE_DEFAULT_TIMEOUT", "soon"),
            "`CACHE_DEFAULT_TIMEOUT` is `soon`: give seconds, such as `300` or `0.5`, or `never`"
        );
        assert!(refusal("CACHE_DEFAULT_TIMEOUT", "0").contains("for ever"));
        assert!(refusal("CACHE_DEFAULT_TIMEOUT", "-1").contains("is `-1`"));
        assert!(refusal("CACHE_DEFAULT_TIMEOUT", "1e300").contains("is `1e300`"));
        assert!(refusal("CACHE_DEFAULT_TIMEOUT", "1e-30").contains("is `1e-30`"));
        assert_eq!(
            refusal("CACHE_THRESHOLD", "0"),
            "`CACHE_THRESHOLD` is `0`: give a number of entries, at least 1"
        );
        assert!(refusal("CACHE_THRESHOLD", "-5").contains("is `-5`"));
        assert!(refusal("CACHE_MAX_BYTES", "1MB").contains("is `1MB`"));
        assert_eq!(
            refusal("CACHE_EVENT_KEYS", "none"),
            "`CACHE_EVENT_KEYS` is `none`: accepted are `prefixes`, `shown`, `hashed`, `hidden`"
        );
    }

    #[test]
    fn a_setting_without_effect_is_refused_and_its_secret_not_repeated() {
        assert_eq!(
            refusal(&[("CACHE_REDIS_URL", "redis://:secret@host")]),
            "`CACHE_REDIS_URL` is set, and `CACHE_TYPE` is `memory`: unset one of them, or say `redis`"
        );
    }

    #[test]
    fn how_much_of_keys_is_told_can_be_set() {
        let keys = |text| with(&[("CACHE_EVENT_KEYS", text)]).map(|it| it.event_keys);
        assert_eq!(keys("hashed").ok(), Some(EventKeys::Hashed));
        assert_eq!(keys(" Hidden ").ok(), Some(EventKeys::Hidden));
        assert_eq!(keys("SHOWN").ok(), Some(EventKeys::Shown));
        assert_eq!(keys("prefixes").ok(), Some(EventKeys::Prefixes));
    }

    #[cfg(not(feature = "redis"))]
    #[test]
    fn a_store_that_this_build_has_not_is_refused_with_its_feature() {
        assert_eq!(
            refusal(&[("CACHE_TYPE", "RedisCache")]),
            "`CACHE_TYPE` is `RedisCache`, which needs the feature `redis` of dewar"
        );
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_redis_server_is_described_by_a_url_or_part_by_part() {
        let store = |pairs: &[(&str, &str)]| {
            let mut all = vec![("CACHE_TYPE", "RedisCache")];
            all.extend(pairs);
            let builder = with(&all).unwrap();
            builder.shared.store.as_ref().unwrap().describe()
        };
        assert_eq!(store(&[]), "redis 127.0.0.1:6379/0");
        assert_eq!(
            store(&[("CACHE_REDIS_URL", "redis://:secret@cache:1/2")]),
            "redis cache:1/2"
        );
        let parts = [
            ("CACHE_REDIS_HOST", "cache"),
            ("CACHE_REDIS_PORT", "7"),
            ("CACHE_REDIS_DB", "3"),
            ("CACHE_REDIS_PASSWORD", "secret"),
            ("CACHE_KEY_PREFIX", "shop:"),
            ("CACHE_STORE_TIMEOUT", "0.2"),
            ("CACHE_FORMAT", "json"),
        ];
        assert_eq!(store(&parts), "redis cache:7/3");
        let sentinels = [
            ("CACHE_REDIS_SENTINELS", "a:1, b"),
            ("CACHE_REDIS_SENTINEL_MASTER", "main"),
        ];
        assert_eq!(store(&sentinels), "redis sentinel main/0 at a:1,b:26379");
        let cluster = [("CACHE_REDIS_CLUSTER", "a,b:2")];
        assert_eq!(store(&cluster), "redis cluster a:6379,b:2");
        let socket = [("CACHE_REDIS_UNIX_SOCKET_PATH", "/run/r.sock")];
        assert_eq!(store(&socket), "redis /run/r.sock/0");
    }

    #[cfg(feature = "redis")]
    #[test]
    fn what_is_wrong_with_a_redis_server_is_named() {
        let refusal = |name, value| refusal(&[("CACHE_TYPE", "redis"), (name, value)]);
        let url = refusal("CACHE_REDIS_URL", "redi://:secret@host");
        assert!(
            url.starts_with("`CACHE_REDIS_URL` is `redi://…@host`, of an unknown"),
            "{url}"
        );
        assert_eq!(
            refusal("CACHE_REDIS_PORT", "many"),
            "`CACHE_REDIS_PORT` is `many`: give a number"
        );
        assert!(refusal("CACHE_FORMAT", "pickle").contains("is `pickle`: this build has `json`"));
        assert!(refusal("CACHE_CHECK_STORE", "perhaps").contains("`true` or `false`"));
        assert!(refusal("CACHE_REDIS_SENTINELS", "a").contains("`redis service` is empty"));
        assert!(!refusal("CACHE_SEAL_KEYS", "secret").contains("secret"));
        let two = [
            ("CACHE_TYPE", "redis"),
            ("CACHE_REDIS_URL", "redis://a"),
            ("CACHE_REDIS_HOST", "b"),
        ];
        assert_eq!(
            super::tests::refusal(&two),
            "`CACHE_REDIS_HOST` is given together with `CACHE_REDIS_URL`: give one of them"
        );
    }

    #[test]
    fn no_setting_repeats_what_looks_like_a_login() {
        for kind in [
            "redis://:secret@host",
            "redis",
            "memcached",
            "filesystem",
            "database",
        ] {
            if settings::kind("CACHE_TYPE", kind).is_err() {
                assert!(!refusal(&[("CACHE_TYPE", kind)]).contains("secret"));
                continue;
            }
            for name in [
                "CACHE_DEFAULT_TIMEOUT",
                "CACHE_THRESHOLD",
                "CACHE_REDIS_HOST",
                "CACHE_REDIS_PORT",
                "CACHE_REDIS_UNIX_SOCKET_PATH",
                "CACHE_REDIS_SENTINELS",
                "CACHE_REDIS_CLUSTER",
                "CACHE_MEMCACHED_SERVERS",
                "CACHE_DATABASE_URL",
                "CACHE_STORE_TIMEOUT",
                "CACHE_FORMAT",
                "CACHE_COMPRESS_FROM",
                "CACHE_SEAL_KEYS",
                "CACHE_CHECK_STORE",
            ] {
                for value in ["scheme://:secret@host:1", "user:secret@host", "://secret"] {
                    let text = refusal(&[("CACHE_TYPE", kind), (name, value)]);
                    assert!(text.starts_with('`'), "{name}: {text}");
                    assert!(!text.contains("secret"), "{text}");
                }
            }
        }
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_host_that_is_none_is_refused() {
        for host in ["cache:6379", "cache/0", "a b", "", "::g"] {
            let text = refusal(&[("CACHE_TYPE", "redis"), ("CACHE_REDIS_HOST", host)]);
            let start = "`CACHE_REDIS_HOST` is no host: give one such as `localhost`";
            assert!(text.starts_with(start), "{text}");
        }
        for host in [
            "cache",
            "10.0.0.1",
            "::1",
            "fe80::1%eth0",
            "cache_1.internal",
        ] {
            let pairs = [("CACHE_TYPE", "redis"), ("CACHE_REDIS_HOST", host)];
            assert_eq!(refusal(&pairs), "accepted");
        }
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
