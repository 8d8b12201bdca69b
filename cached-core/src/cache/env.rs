//! Settings from text: environment variables with Flask-Caching's names.

use std::time::Duration;

use super::builder::CacheBuilder;
use super::settings::{self, Kind, Source};
use super::{Cache, builder};
use crate::error::Error;

impl CacheBuilder {
    /// A description from environment variables, with Flask-Caching's names:
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `CACHE_TYPE` | `memory` (also `SimpleCache`, `simple`), `null` (also `NullCache`), `redis` (also `RedisCache`, `RedisSentinelCache`, `RedisClusterCache`, `valkey`), `memcached`, `filesystem`, `database` |
    /// | `CACHE_DEFAULT_TIMEOUT` | seconds, or `never` |
    /// | `CACHE_THRESHOLD` | entries at most |
    /// | `CACHE_MAX_BYTES` | bytes at most, instead of entries |
    /// | `CACHE_MAX_PAGE_BYTES` | bytes at most for pages (feature `tower`) |
    /// | `CACHE_EVENT_KEYS` | how much of keys is told: `prefixes`, `shown`, `hashed`, `hidden`; see [`EventKeys`](crate::EventKeys) |
    /// | `CACHE_MAX_WAIT` | seconds that a caller waits for another's load |
    /// | `CACHE_REMEMBERED_INVALIDATIONS` | how many are remembered one by one |
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
    /// | `CACHE_REDIS_CONNECT_TIMEOUT` | seconds that making a connection may take |
    /// | `CACHE_REDIS_ON_CALLER_RUNTIME` | `true`: operations stay on the runtime of their caller |
    /// | `CACHE_REDIS_TLS` | `true`: connections are encrypted, as with `rediss://` |
    /// | `CACHE_REDIS_ROOT_CERTIFICATE` | a PEM file: certificates are checked against it and not against those of the system |
    /// | `CACHE_REDIS_CLIENT_CERTIFICATE`, `CACHE_REDIS_CLIENT_KEY` | PEM files: what is shown to the servers |
    /// | `CACHE_MEMCACHED_SERVERS` | servers, `host:port` with commas between them |
    /// | `CACHE_DATABASE_URL` | `postgres://…` or `sqlite:…` |
    /// | `CACHE_DIR`, `CACHE_DIR_MAX_BYTES` | a directory for files, and how much it holds at most |
    /// | `CACHE_STORE_TIMEOUT`, `CACHE_STORE_BUDGET`, `CACHE_LEASE` | seconds; see `store_timeout`, `store_budget` and `lease` of [`CacheBuilder`](crate::CacheBuilder) |
    /// | `CACHE_MEMORY_COPIES` | seconds, `0` for none; see `memory_copies` there |
    /// | `CACHE_FORMAT` | `json`, `msgpack`, `postcard` |
    /// | `CACHE_COMPRESS_FROM` | bytes |
    /// | `CACHE_SEAL_KEYS` | keys of 64 hexadecimal digits with commas between them |
    /// | `CACHE_CHECK_STORE` | `true`: a store that does not answer is an error at the start |
    ///
    /// What is not set keeps its default. A setting that would be without effect is refused, but for
    /// `CACHE_KEY_PREFIX`. An empty user or password is none.
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
    if let Some(scopes) = get("CACHE_REMEMBERED_INVALIDATIONS")? {
        let scopes = count("CACHE_REMEMBERED_INVALIDATIONS", &scopes, "scopes")?;
        builder = builder.remembered_invalidations(usize::try_from(scopes).unwrap_or(usize::MAX));
    }
    Ok(builder)
}

/// A timeout of entries in seconds.
pub(super) fn seconds(setting: &str, text: &str) -> Result<Duration, Error> {
    let most = builder::DEFAULT_TIMEOUT.as_secs();
    let refuse = |why: &str| {
        let shown = Error::shown(text);
        let what =
            format!("is `{shown}`{why}: give seconds, such as `{most}` or `0.5`, or `never`");
        Error::config(setting, what)
    };
    match parsed(text) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        // What is too small to be told from it is none.
        Some(_) if text.trim().parse() == Ok(0.0) => Err(refuse(
            ", which means \"for ever\" to some and \"not stored\" to others",
        )),
        _ => Err(refuse("")),
    }
}

/// Any other time in seconds.
pub(super) fn time(setting: &str, text: &str) -> Result<Duration, Error> {
    let time = parsed(text).filter(|time| !time.is_zero());
    time.ok_or_else(|| {
        let shown = Error::shown(text);
        let what = format!("is `{shown}`: give seconds above 0, such as `5` or `0.5`");
        Error::config(setting, what)
    })
}

/// The same where zero means something.
#[cfg(feature = "stores")]
pub(super) fn at_least_zero(setting: &str, text: &str) -> Result<Duration, Error> {
    parsed(text).ok_or_else(|| {
        let shown = Error::shown(text);
        let what = format!("is `{shown}`: give seconds, such as `5` or `0.5`, or `0` for none");
        Error::config(setting, what)
    })
}

fn parsed(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.trim().parse().ok()?).ok()
}

pub(super) fn count(setting: &str, text: &str, what: &str) -> Result<u64, Error> {
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
    use crate::watch::EventKeys;

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
            refusal("CACHE_MAX_PAGE_BYTES", "1MB"),
            "`CACHE_MAX_PAGE_BYTES` is `1MB`: give a number of bytes, at least 1"
        );
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
    fn what_is_said_of_shared_stores_is_refused_where_there_is_none() {
        for (name, value) in [
            ("CACHE_STORE_TIMEOUT", "abc"),
            ("CACHE_STORE_BUDGET", "1"),
            ("CACHE_LEASE", "1"),
            ("CACHE_MEMORY_COPIES", "0"),
            ("CACHE_FORMAT", "pickle"),
            ("CACHE_COMPRESS_FROM", "1"),
            ("CACHE_SEAL_KEYS", "nonsense"),
            ("CACHE_CHECK_STORE", "perhaps"),
        ] {
            let unset = "unset it, or name a store that is shared";
            assert_eq!(
                refusal(&[(name, value)]),
                format!("`{name}` is set, and `CACHE_TYPE` is `memory`: {unset}")
            );
            assert_eq!(
                refusal(&[("CACHE_TYPE", "NullCache"), (name, value)]),
                format!("`{name}` is set, and `CACHE_TYPE` is `null`: {unset}")
            );
        }
        assert_eq!(refusal(&[("CACHE_KEY_PREFIX", "shop:")]), "accepted");
    }

    #[cfg(feature = "redis")]
    #[test]
    fn sentinels_and_clusters_are_what_the_type_says_or_an_error() {
        let refusal = |kind, pairs: &[(&str, &str)]| {
            let mut all = vec![("CACHE_TYPE", kind)];
            all.extend(pairs);
            refusal(&all)
        };
        let (sentinel, cluster) = ("RedisSentinelCache", "flask_caching.RedisClusterCache");
        for pairs in [&[][..], &[("CACHE_REDIS_HOST", "a")]] {
            assert_eq!(
                refusal(cluster, pairs),
                "`CACHE_REDIS_CLUSTER` is not set, and `CACHE_TYPE` is `RedisClusterCache`: give \
                 `one:6379,two:6379`"
            );
        }
        let master = ("CACHE_REDIS_SENTINEL_MASTER", "main");
        assert_eq!(
            refusal(sentinel, &[master]),
            "`CACHE_REDIS_SENTINELS` is not set, and `CACHE_TYPE` is `RedisSentinelCache`: give \
             `one:26379,two:26379`"
        );
        assert_eq!(
            refusal(cluster, &[("CACHE_REDIS_CLUSTER", "a,b")]),
            "accepted"
        );
        let url = |url| ("CACHE_REDIS_URL", url);
        assert_eq!(refusal(cluster, &[url("redis-cluster://a,b")]), "accepted");
        let known = [("CACHE_REDIS_SENTINELS", "a,b"), master];
        assert_eq!(refusal(sentinel, &known), "accepted");
        let named = url("redis-sentinel://a,b/main");
        assert_eq!(refusal(sentinel, &[named]), "accepted");
        assert_eq!(
            refusal(sentinel, &[named, master]),
            "`CACHE_REDIS_SENTINEL_MASTER` is given together with `CACHE_REDIS_URL`, which names \
             it: unset one"
        );
        let password = ("CACHE_REDIS_SENTINEL_PASSWORD", "secret");
        for (name, value) in [master, password] {
            assert_eq!(
                refusal("redis", &[(name, value)]),
                format!("`{name}` is set without `CACHE_REDIS_SENTINELS`: give both")
            );
        }
        assert_eq!(
            refusal("memory", &[("CACHE_REDIS_CLUSTER", "a")]),
            "`CACHE_REDIS_CLUSTER` is set, and `CACHE_TYPE` is `memory`: unset one of them, or say \
             `redis`"
        );
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_port_is_that_of_a_host() {
        let refusal = |pairs: &[(&str, &str)]| {
            let mut all = vec![("CACHE_TYPE", "redis"), ("CACHE_REDIS_PORT", "7")];
            all.extend(pairs);
            refusal(&all)
        };
        assert_eq!(refusal(&[]), "accepted");
        assert_eq!(refusal(&[("CACHE_REDIS_HOST", "a")]), "accepted");
        for (name, value) in [
            ("CACHE_REDIS_URL", "redis://a"),
            ("CACHE_REDIS_UNIX_SOCKET_PATH", "/run/r.sock"),
            ("CACHE_REDIS_SENTINELS", "a"),
            ("CACHE_REDIS_CLUSTER", "a"),
        ] {
            assert_eq!(
                refusal(&[(name, value)]),
                format!(
                    "`CACHE_REDIS_PORT` is given together with `{name}`, which says all of where: \
                     unset one"
                )
            );
        }
    }

    #[cfg(feature = "redis")]
    #[test]
    fn an_empty_login_is_none() {
        let empty = [
            ("CACHE_TYPE", "redis"),
            ("CACHE_REDIS_USERNAME", ""),
            ("CACHE_REDIS_PASSWORD", ""),
            ("CACHE_REDIS_SENTINEL_PASSWORD", ""),
        ];
        assert_eq!(refusal(&empty), "accepted");
        let user = [("CACHE_TYPE", "redis"), ("CACHE_REDIS_USERNAME", "shop")];
        let alone = refusal(&user);
        assert!(alone.contains("without a password"), "{alone}");
        assert_eq!(refusal(&[&user[..], &empty[2..]].concat()), alone);
    }

    #[cfg(any(feature = "filesystem", feature = "memcached"))]
    #[test]
    fn an_error_names_the_setting_that_it_is_about() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let cases = [
            ("filesystem", "CACHE_DIR", file),
            ("memcached", "CACHE_MEMCACHED_SERVERS", "::1"),
            ("memcached", "CACHE_KEY_PREFIX", "two words"),
            ("memcached", "CACHE_KEY_PREFIX", "::"),
        ];
        for (kind, name, value) in cases {
            if settings::kind("CACHE_TYPE", kind).is_ok() {
                let text = refusal(&[("CACHE_TYPE", kind), (name, value)]);
                let start = format!("`{name}` is `{value}`");
                assert!(text.starts_with(&start), "{text}");
            }
        }
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
        assert_eq!(
            refusal("CACHE_REDIS_SENTINELS", "a"),
            "`CACHE_REDIS_SENTINEL_MASTER` is not set: give the name under which the sentinels know \
             the master"
        );
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

    #[cfg(feature = "redis")]
    #[test]
    fn times_of_shared_stores_are_settings_too() {
        let store = |name, value| with(&[("CACHE_TYPE", "redis"), (name, value)]);
        let seconds = |n| Some(Duration::from_millis(n));
        let given = |name, value| store(name, value).unwrap().shared;
        let copies = given("CACHE_MEMORY_COPIES", "0").copies;
        assert_eq!(copies, Some(Duration::ZERO));
        assert_eq!(given("CACHE_MEMORY_COPIES", "1.5").copies, seconds(1500));
        assert_eq!(given("CACHE_STORE_BUDGET", "2").budget, seconds(2000));
        assert_eq!(given("CACHE_LEASE", "30").lease, seconds(30_000));
        let refusal = |name, value| refusal(&[("CACHE_TYPE", "redis"), (name, value)]);
        assert_eq!(
            refusal("CACHE_MEMORY_COPIES", "never"),
            "`CACHE_MEMORY_COPIES` is `never`: give seconds, such as `5` or `0.5`, or `0` for none"
        );
        for name in [
            "CACHE_STORE_TIMEOUT",
            "CACHE_STORE_BUDGET",
            "CACHE_LEASE",
            "CACHE_REDIS_CONNECT_TIMEOUT",
            "CACHE_MAX_WAIT",
        ] {
            assert_eq!(refusal(name, "3"), "accepted");
            for value in ["0", "never", "-1"] {
                let what = "give seconds above 0, such as `5` or `0.5`";
                assert_eq!(
                    refusal(name, value),
                    format!("`{name}` is `{value}`: {what}")
                );
            }
        }
        let name = "CACHE_REMEMBERED_INVALIDATIONS";
        assert_eq!(refusal(name, "100"), "accepted");
        assert!(refusal(name, "0").contains("at least 1"));
        let name = "CACHE_REDIS_ON_CALLER_RUNTIME";
        assert_eq!(refusal(name, "true"), "accepted");
        assert!(refusal(name, "perhaps").contains("`true` or `false`"));
    }

    #[cfg(feature = "redis-tls")]
    #[test]
    fn certificates_are_files() {
        let refusal = |pairs: &[(&str, &str)]| {
            let mut all = vec![("CACHE_TYPE", "redis")];
            all.extend(pairs);
            refusal(&all)
        };
        assert_eq!(refusal(&[("CACHE_REDIS_TLS", "true")]), "accepted");
        let text = refusal(&[("CACHE_REDIS_ROOT_CERTIFICATE", "/nowhere.pem")]);
        let start = "`CACHE_REDIS_ROOT_CERTIFICATE` is the path of a file that cannot be read (";
        assert!(text.starts_with(start), "{text}");
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let text = refusal(&[("CACHE_REDIS_ROOT_CERTIFICATE", here)]);
        assert!(text.contains("holds nothing in PEM"), "{text}");
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cache/env.rs");
        // -----BEGIN NOTHING-----
        let alone = |name| refusal(&[(name, here)]);
        assert_eq!(
            alone("CACHE_REDIS_CLIENT_KEY"),
            "`CACHE_REDIS_CLIENT_KEY` is given without `CACHE_REDIS_CLIENT_CERTIFICATE`: give both"
        );
        assert_eq!(
            alone("CACHE_REDIS_CLIENT_CERTIFICATE"),
            "`CACHE_REDIS_CLIENT_CERTIFICATE` is given without `CACHE_REDIS_CLIENT_KEY`: give both"
        );
    }

    #[cfg(feature = "filesystem")]
    #[test]
    fn the_bound_of_a_directory_is_a_setting() {
        let directory = std::env::temp_dir().join(format!("dewar-env-{}", std::process::id()));
        let pairs = |bound| {
            let directory = directory.to_str().unwrap();
            refusal(&[
                ("CACHE_TYPE", "filesystem"),
                ("CACHE_DIR", directory),
                ("CACHE_DIR_MAX_BYTES", bound),
            ])
        };
        assert_eq!(pairs("1000000"), "accepted");
        assert_eq!(
            pairs("1MB"),
            "`CACHE_DIR_MAX_BYTES` is `1MB`: give a number of bytes, at least 1"
        );
        std::fs::remove_dir_all(&directory).unwrap();
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
