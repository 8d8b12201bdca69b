//! Settings, whatever they come from: the environment, a file.

#[cfg(feature = "redis")]
mod redis;

use std::time::Duration;

use super::builder::{CacheBuilder, StoreKind};
use crate::error::Error;
use crate::watch::EventKeys;

/// Where settings come from.
pub(super) struct Source<'a> {
    /// A setting by its plain name, such as `redis_url`.
    pub(super) get: &'a dyn Fn(&str) -> Result<Option<String>, Error>,
    /// How it is called there.
    pub(super) name: &'a dyn Fn(&str) -> String,
}

/// What `CACHE_TYPE` can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Memory,
    Null,
    Redis,
    /// The same, told to have sentinels.
    RedisSentinel,
    /// The same, told to be a cluster.
    RedisCluster,
    Memcached,
    Filesystem,
    Database,
}

/// A type by its name, in Flask-Caching's spellings, old and new.
pub(super) fn kind(setting: &str, name: &str) -> Result<Kind, Error> {
    let plain = name.trim().to_ascii_lowercase();
    let plain = plain.rsplit('.').next().unwrap_or_default();
    let kind = match plain.strip_suffix("cache").unwrap_or(plain) {
        "memory" | "simple" => Kind::Memory,
        "null" => Kind::Null,
        "redis" | "valkey" => Kind::Redis,
        "redissentinel" => Kind::RedisSentinel,
        "rediscluster" => Kind::RedisCluster,
        "memcached" => Kind::Memcached,
        "filesystem" => Kind::Filesystem,
        "database" => Kind::Database,
        _ => {
            let what = format!(
                "is `{}`: accepted are `memory` (or `SimpleCache`), `null` (or `NullCache`){}",
                Error::shown(name),
                shared_kinds()
            );
            return Err(Error::config(setting, what));
        }
    };
    match kind.feature() {
        Some((feature, false)) => {
            let name = Error::shown(name);
            let what = format!("is `{name}`, which needs the feature `{feature}` of dewar");
            Err(Error::config(setting, what))
        }
        _ => Ok(kind),
    }
}

fn shared_kinds() -> String {
    let kinds = [
        ("redis", Kind::Redis),
        ("memcached", Kind::Memcached),
        ("filesystem", Kind::Filesystem),
        ("database", Kind::Database),
    ];
    let here = kinds
        .iter()
        .filter(|(_, kind)| kind.feature().is_some_and(|(_, on)| on))
        .map(|(name, _)| format!(", `{name}`"));
    here.collect()
}

impl Kind {
    /// The store that it is a kind of.
    fn store(self) -> Kind {
        match self {
            Kind::RedisSentinel | Kind::RedisCluster => Kind::Redis,
            kind => kind,
        }
    }

    /// The feature it needs, and whether this build has it.
    fn feature(self) -> Option<(&'static str, bool)> {
        match self {
            Kind::Memory | Kind::Null => None,
            Kind::Redis | Kind::RedisSentinel | Kind::RedisCluster => {
                Some(("redis", cfg!(feature = "redis")))
            }
            Kind::Memcached => Some(("memcached", cfg!(feature = "memcached"))),
            Kind::Filesystem => Some(("filesystem", cfg!(feature = "filesystem"))),
            Kind::Database => Some(("database", cfg!(feature = "database"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Memory => "memory",
            Kind::Null => "null",
            Kind::Redis => "redis",
            Kind::RedisSentinel => "RedisSentinelCache",
            Kind::RedisCluster => "RedisClusterCache",
            Kind::Memcached => "memcached",
            Kind::Filesystem => "filesystem",
            Kind::Database => "database",
        }
    }
}

/// Settings that mean something for one type only.
const OF_ONE: [(&str, Kind); 21] = [
    ("redis_url", Kind::Redis),
    ("redis_host", Kind::Redis),
    ("redis_port", Kind::Redis),
    ("redis_db", Kind::Redis),
    ("redis_username", Kind::Redis),
    ("redis_password", Kind::Redis),
    ("redis_unix_socket_path", Kind::Redis),
    ("redis_sentinels", Kind::Redis),
    ("redis_sentinel_master", Kind::Redis),
    ("redis_sentinel_password", Kind::Redis),
    ("redis_cluster", Kind::Redis),
    ("redis_connect_timeout", Kind::Redis),
    ("redis_on_caller_runtime", Kind::Redis),
    ("redis_tls", Kind::Redis),
    ("redis_root_certificate", Kind::Redis),
    ("redis_client_certificate", Kind::Redis),
    ("redis_client_key", Kind::Redis),
    ("memcached_servers", Kind::Memcached),
    ("dir", Kind::Filesystem),
    ("dir_max_bytes", Kind::Filesystem),
    ("database_url", Kind::Database),
];

/// Settings that mean something for any shared store. `key_prefix` is none of them: applications that
/// come from Flask-Caching set it whatever the type.
const OF_SHARED: [&str; 8] = [
    "store_timeout",
    "store_budget",
    "lease",
    "memory_copies",
    "format",
    "compress_from",
    "seal_keys",
    "check_store",
];

/// Refuses what would be without effect. What it holds is not repeated: it may be a secret.
fn only_what_counts(kind: Kind, source: &Source<'_>) -> Result<(), Error> {
    let chosen = format!("`{}` is `{}`", (source.name)("type"), kind.name());
    for (name, of) in OF_ONE {
        if of != kind.store() && (source.get)(name)?.is_some() {
            let what = format!(
                "is set, and {chosen}: unset one of them, or say `{}`",
                of.name()
            );
            return Err(Error::config((source.name)(name), what));
        }
    }
    if !matches!(kind, Kind::Memory | Kind::Null) {
        return Ok(());
    }
    for name in OF_SHARED {
        if (source.get)(name)?.is_some() {
            let what = format!("is set, and {chosen}: unset it, or name a store that is shared");
            return Err(Error::config((source.name)(name), what));
        }
    }
    Ok(())
}

/// Adds the store of a type, and what is said about it.
pub(super) fn apply(
    builder: CacheBuilder,
    kind: Kind,
    source: &Source<'_>,
) -> Result<CacheBuilder, Error> {
    only_what_counts(kind, source)?;
    let builder = said_of_any(builder, source)?;
    let builder = builder.store(match kind {
        Kind::Null => StoreKind::Null,
        _ => StoreKind::Memory,
    });
    #[cfg(feature = "stores")]
    let builder = shared::apply(builder, kind, source)?;
    Ok(builder)
}

/// What can be said of any cache.
fn said_of_any(mut builder: CacheBuilder, source: &Source<'_>) -> Result<CacheBuilder, Error> {
    if let Some(keys) = (source.get)("event_keys")? {
        let name = (source.name)("event_keys");
        builder = builder.event_keys(EventKeys::of_setting(&name, &keys)?);
    }
    if let Some(limit) = time(source, "max_wait")? {
        builder = builder.max_wait(limit);
    }
    if let Some(bytes) = (source.get)("max_page_bytes")? {
        let name = (source.name)("max_page_bytes");
        builder = page_bytes(builder, &name, super::env::count(&name, &bytes, "bytes")?)?;
    }
    Ok(builder)
}

/// The bound of pages, where there can be pages.
#[cfg(feature = "tower")]
fn page_bytes(builder: CacheBuilder, _name: &str, bytes: u64) -> Result<CacheBuilder, Error> {
    Ok(builder.max_page_bytes(bytes))
}

#[cfg(not(feature = "tower"))]
fn page_bytes(_builder: CacheBuilder, name: &str, _bytes: u64) -> Result<CacheBuilder, Error> {
    let what = "is set, which needs the feature `tower` of dewar";
    Err(Error::config(name, what))
}

/// A time in seconds.
fn time(source: &Source<'_>, name: &str) -> Result<Option<Duration>, Error> {
    let given = (source.get)(name)?;
    let time = given.map(|text| super::env::time(&(source.name)(name), &text));
    time.transpose()
}

/// Yes or no.
#[cfg(feature = "stores")]
fn switch(source: &Source<'_>, name: &str) -> Result<Option<bool>, Error> {
    let Some(text) = (source.get)(name)? else {
        return Ok(None);
    };
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(Some(true)),
        "0" | "false" | "no" | "off" => Ok(Some(false)),
        _ => {
            let what = format!("is `{}`: give `true` or `false`", Error::shown(&text));
            Err(Error::config((source.name)(name), what))
        }
    }
}

#[cfg(feature = "stores")]
mod shared {
    use super::{CacheBuilder, Error, Kind, Source, switch, time};
    use crate::cache::env::at_least_zero;
    use crate::codec::Format;

    pub(super) fn apply(
        builder: CacheBuilder,
        kind: Kind,
        source: &Source<'_>,
    ) -> Result<CacheBuilder, Error> {
        let builder = match kind {
            Kind::Memory | Kind::Null => return Ok(builder),
            #[cfg(feature = "redis")]
            Kind::Redis | Kind::RedisSentinel | Kind::RedisCluster => {
                builder.shared(super::redis::store(kind, source)?)
            }
            #[cfg(feature = "filesystem")]
            Kind::Filesystem => builder.shared(super::files(source)?),
            #[cfg(feature = "memcached")]
            Kind::Memcached => {
                let name = (source.name)("memcached_servers");
                let servers = (source.get)("memcached_servers")?;
                let servers = servers.as_deref().unwrap_or("127.0.0.1:11211");
                builder.shared(crate::store::Memcached::open_as(&name, servers)?)
            }
            #[cfg(feature = "database")]
            Kind::Database => {
                let name = (source.name)("database_url");
                let url = (source.get)("database_url")?.ok_or_else(|| {
                    let what = "is not set: give one such as `postgres://user:password@host/name`";
                    Error::config(&name, what)
                })?;
                builder.shared(crate::store::Database::open_as(&name, &url)?)
            }
            #[allow(unreachable_patterns, reason = "whichever features are off")]
            _ => builder,
        };
        common(builder, source)
    }

    /// What can be said of any shared store.
    fn common(mut builder: CacheBuilder, source: &Source<'_>) -> Result<CacheBuilder, Error> {
        let get = |name: &str| (source.get)(name);
        if let Some(prefix) = get("key_prefix")? {
            let name = (source.name)("key_prefix");
            builder = builder.namespace(crate::cache::shared::namespace(&name, &prefix)?);
        }
        if let Some(limit) = time(source, "store_timeout")? {
            builder = builder.store_timeout(limit);
        }
        if let Some(budget) = time(source, "store_budget")? {
            builder = builder.store_budget(budget);
        }
        if let Some(lease) = time(source, "lease")? {
            builder = builder.lease(lease);
        }
        if let Some(text) = get("memory_copies")? {
            let name = (source.name)("memory_copies");
            builder = builder.memory_copies(at_least_zero(&name, &text)?);
        }
        if let Some(text) = get("format")? {
            let format = Format::named(&text).ok_or_else(|| {
                let known = Format::names().join("`, `");
                let what = format!("is `{}`: this build has `{known}`", Error::shown(&text));
                Error::config((source.name)("format"), what)
            })?;
            builder = builder.format(format);
        }
        builder = values(builder, source)?;
        if switch(source, "check_store")? == Some(true) {
            builder = builder.check_store();
        }
        Ok(builder)
    }

    /// What is done to values.
    fn values(builder: CacheBuilder, source: &Source<'_>) -> Result<CacheBuilder, Error> {
        let compress = (source.get)("compress_from")?;
        let keys = (source.get)("seal_keys")?;
        #[cfg(feature = "compress")]
        let builder = match compress {
            None => builder,
            Some(text) => match text.trim().parse() {
                Ok(bytes) => builder.compress_from(bytes),
                Err(_) => {
                    let what = format!("is `{}`: give a number of bytes", Error::shown(&text));
                    return Err(Error::config((source.name)("compress_from"), what));
                }
            },
        };
        #[cfg(not(feature = "compress"))]
        needs(source, "compress_from", compress, "compress")?;
        #[cfg(feature = "seal")]
        let builder = match keys {
            None => builder,
            Some(text) => {
                let keys: Result<Vec<_>, _> = text
                    .split(',')
                    .map(crate::codec::SealKey::from_hex)
                    .collect();
                let what = "is no list of keys: give each as 64 hexadecimal digits, the one that \
                    seals first, with commas between them";
                let refused = |_| Error::config((source.name)("seal_keys"), what);
                builder.seal(keys.map_err(refused)?)
            }
        };
        #[cfg(not(feature = "seal"))]
        needs(source, "seal_keys", keys, "seal")?;
        Ok(builder)
    }

    #[cfg(not(all(feature = "compress", feature = "seal", feature = "redis-tls")))]
    #[allow(dead_code, reason = "whichever features are off")]
    pub(super) fn needs(
        source: &Source<'_>,
        name: &str,
        value: Option<String>,
        feature: &str,
    ) -> Result<(), Error> {
        match value {
            None => Ok(()),
            Some(_) => {
                let what = format!("is set, which needs the feature `{feature}` of dewar");
                Err(Error::config((source.name)(name), what))
            }
        }
    }
}

/// The directory that the settings name.
#[cfg(feature = "filesystem")]
fn files(source: &Source<'_>) -> Result<crate::store::Filesystem, Error> {
    let name = (source.name)("dir");
    let Some(directory) = (source.get)("dir")? else {
        let what = "is not set: give the directory to keep files in";
        return Err(Error::config(name, what));
    };
    let store = crate::store::Filesystem::open_as(&name, directory)?;
    Ok(match (source.get)("dir_max_bytes")? {
        None => store,
        Some(text) => {
            let name = (source.name)("dir_max_bytes");
            store.max_bytes(super::env::count(&name, &text, "bytes")?)
        }
    })
}
