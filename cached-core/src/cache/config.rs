//! Settings from TOML, JSON, YAML or anything else that serde reads.

use serde::Deserialize;

use super::Cache;
use super::builder::CacheBuilder;
use super::env::seconds;
use super::settings::{self, Kind, Source};
use crate::error::Error;

/// A cache as a configuration file describes it.
///
/// ```
/// use dewar::{CacheBuilder, CacheConfig};
///
/// let config: CacheConfig = serde_json::from_str(
///     r#"{ "type": "memory", "name": "sessions", "default_timeout": 1800, "max_entries": 5000 }"#,
/// )?;
/// let cache = CacheBuilder::try_from(config)?.build()?;
/// assert_eq!(cache.name(), "sessions");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// The store: `memory`, `null`, `redis`, `memcached`, `filesystem` or `database`.
    #[serde(rename = "type", alias = "CACHE_TYPE")]
    pub store: Option<String>,
    /// The name of the cache.
    pub name: Option<String>,
    /// Seconds, or `"never"`.
    #[serde(alias = "CACHE_DEFAULT_TIMEOUT")]
    pub default_timeout: Option<Seconds>,
    /// Entries at most.
    #[serde(alias = "threshold", alias = "CACHE_THRESHOLD")]
    pub max_entries: Option<u64>,
    /// Bytes at most, instead of entries.
    #[serde(alias = "CACHE_MAX_BYTES")]
    pub max_bytes: Option<u64>,
    /// Bytes at most for pages (feature `tower`).
    #[serde(alias = "CACHE_MAX_PAGE_BYTES")]
    pub max_page_bytes: Option<u64>,
    /// How much of keys is told in events and shown: `prefixes`, `shown`, `hashed` or `hidden`.
    #[serde(alias = "CACHE_EVENT_KEYS")]
    pub event_keys: Option<String>,
    /// Seconds that a caller waits for another's load.
    #[serde(alias = "CACHE_MAX_WAIT")]
    pub max_wait: Option<f64>,
    /// How many invalidations are remembered one by one.
    #[serde(alias = "CACHE_REMEMBERED_INVALIDATIONS")]
    pub remembered_invalidations: Option<u64>,
    /// What keys on a shared store begin with.
    #[serde(alias = "namespace", alias = "CACHE_KEY_PREFIX")]
    pub key_prefix: Option<String>,
    /// All about a Redis server in one line.
    #[serde(alias = "CACHE_REDIS_URL")]
    pub redis_url: Option<Secret>,
    /// The host of a Redis server.
    #[serde(alias = "CACHE_REDIS_HOST")]
    pub redis_host: Option<String>,
    /// Its port.
    #[serde(alias = "CACHE_REDIS_PORT")]
    pub redis_port: Option<u16>,
    /// The number of its database.
    #[serde(alias = "CACHE_REDIS_DB")]
    pub redis_db: Option<u32>,
    /// Its user.
    #[serde(alias = "CACHE_REDIS_USERNAME")]
    pub redis_username: Option<String>,
    /// The user's password.
    #[serde(alias = "CACHE_REDIS_PASSWORD")]
    pub redis_password: Option<Secret>,
    /// A Unix socket instead of a host.
    #[serde(alias = "CACHE_REDIS_UNIX_SOCKET_PATH")]
    pub redis_unix_socket_path: Option<String>,
    /// Sentinels, `host:port` with commas between them.
    #[serde(alias = "CACHE_REDIS_SENTINELS")]
    pub redis_sentinels: Option<String>,
    /// The name of the service that they watch.
    #[serde(alias = "CACHE_REDIS_SENTINEL_MASTER")]
    pub redis_sentinel_master: Option<String>,
    /// Their password.
    #[serde(alias = "CACHE_REDIS_SENTINEL_PASSWORD")]
    pub redis_sentinel_password: Option<Secret>,
    /// Nodes of a cluster, `host:port` with commas between them.
    #[serde(alias = "CACHE_REDIS_CLUSTER")]
    pub redis_cluster: Option<String>,
    /// Seconds that making a connection may take.
    #[serde(alias = "CACHE_REDIS_CONNECT_TIMEOUT")]
    pub redis_connect_timeout: Option<f64>,
    /// Whether tokio runtimes that calls drive connections of their own.
    #[serde(alias = "CACHE_REDIS_ON_CALLER_RUNTIME")]
    pub redis_on_caller_runtime: Option<bool>,
    /// Whether connections are encrypted.
    #[serde(alias = "CACHE_REDIS_TLS")]
    pub redis_tls: Option<bool>,
    /// A PEM file: certificates are checked against it and not against those of the system.
    #[serde(alias = "CACHE_REDIS_ROOT_CERTIFICATE")]
    pub redis_root_certificate: Option<String>,
    /// A PEM file with the certificate that is shown to the servers.
    #[serde(alias = "CACHE_REDIS_CLIENT_CERTIFICATE")]
    pub redis_client_certificate: Option<String>,
    /// A PEM file with its key.
    #[serde(alias = "CACHE_REDIS_CLIENT_KEY")]
    pub redis_client_key: Option<String>,
    /// Memcached servers, `host:port` with commas between them.
    #[serde(alias = "CACHE_MEMCACHED_SERVERS")]
    pub memcached_servers: Option<String>,
    /// The directory of a filesystem store.
    #[serde(alias = "CACHE_DIR")]
    pub dir: Option<String>,
    /// Bytes that its files take at most.
    #[serde(alias = "CACHE_DIR_MAX_BYTES")]
    pub dir_max_bytes: Option<u64>,
    /// The URL of a database.
    #[serde(alias = "CACHE_DATABASE_URL")]
    pub database_url: Option<Secret>,
    /// Seconds that one operation of a shared store may take.
    #[serde(alias = "CACHE_STORE_TIMEOUT")]
    pub store_timeout: Option<f64>,
    /// Seconds that one call may spend on a shared store.
    #[serde(alias = "CACHE_STORE_BUDGET")]
    pub store_budget: Option<f64>,
    /// Seconds that one process may load what others wait for.
    #[serde(alias = "CACHE_LEASE")]
    pub lease: Option<f64>,
    /// Seconds that memory serves a copy which nobody vouches for; 0: it serves none.
    #[serde(alias = "CACHE_MEMORY_COPIES")]
    pub memory_copies: Option<f64>,
    /// How values are serialised on a shared store: `json`, `msgpack`, `postcard`.
    #[serde(alias = "CACHE_FORMAT")]
    pub format: Option<String>,
    /// Values of so many bytes are compressed.
    #[serde(alias = "CACHE_COMPRESS_FROM")]
    pub compress_from: Option<u64>,
    /// Keys of 64 hexadecimal digits with commas between them; the first one seals.
    #[serde(alias = "CACHE_SEAL_KEYS")]
    pub seal_keys: Option<Secret>,
    /// Whether a store that does not answer is an error at the start.
    #[serde(alias = "CACHE_CHECK_STORE")]
    pub check_store: Option<bool>,
}

/// Text that is not shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A timeout as a number of seconds or as text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Seconds {
    /// Seconds.
    Number(f64),
    /// Seconds, or `never`.
    Text(String),
}

impl CacheConfig {
    /// A setting by its name, as text.
    fn setting(&self, name: &str) -> Option<String> {
        fn text<T: ToString>(value: &Option<T>) -> Option<String> {
            value.as_ref().map(ToString::to_string)
        }
        let secret = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.0.clone());
        match name {
            "event_keys" => self.event_keys.clone(),
            "max_wait" => text(&self.max_wait),
            "key_prefix" => self.key_prefix.clone(),
            "redis_url" => secret(&self.redis_url),
            "redis_host" => self.redis_host.clone(),
            "redis_port" => text(&self.redis_port),
            "redis_db" => text(&self.redis_db),
            "redis_username" => self.redis_username.clone(),
            "redis_password" => secret(&self.redis_password),
            "redis_unix_socket_path" => self.redis_unix_socket_path.clone(),
            "redis_sentinels" => self.redis_sentinels.clone(),
            "redis_sentinel_master" => self.redis_sentinel_master.clone(),
            "redis_sentinel_password" => secret(&self.redis_sentinel_password),
            "redis_cluster" => self.redis_cluster.clone(),
            "redis_connect_timeout" => text(&self.redis_connect_timeout),
            "redis_on_caller_runtime" => text(&self.redis_on_caller_runtime),
            "redis_tls" => text(&self.redis_tls),
            "redis_root_certificate" => self.redis_root_certificate.clone(),
            "redis_client_certificate" => self.redis_client_certificate.clone(),
            "redis_client_key" => self.redis_client_key.clone(),
            "memcached_servers" => self.memcached_servers.clone(),
            "dir" => self.dir.clone(),
            "max_page_bytes" => text(&self.max_page_bytes),
            "dir_max_bytes" => text(&self.dir_max_bytes),
            "database_url" => secret(&self.database_url),
            "store_timeout" => text(&self.store_timeout),
            "store_budget" => text(&self.store_budget),
            "lease" => text(&self.lease),
            "memory_copies" => text(&self.memory_copies),
            "format" => self.format.clone(),
            "compress_from" => text(&self.compress_from),
            "seal_keys" => secret(&self.seal_keys),
            "check_store" => text(&self.check_store),
            _ => None,
        }
    }
}

impl TryFrom<CacheConfig> for CacheBuilder {
    type Error = Error;

    fn try_from(config: CacheConfig) -> Result<CacheBuilder, Error> {
        let kind = match &config.store {
            Some(kind) => settings::kind("type", kind)?,
            None => Kind::Memory,
        };
        let source = Source {
            get: &|name| Ok(config.setting(name)),
            name: &str::to_owned,
        };
        let mut builder = settings::apply(Cache::builder(), kind, &source)?;
        if let Some(name) = config.name {
            builder = builder.name(name);
        }
        let text = config.default_timeout.map(|timeout| match timeout {
            Seconds::Number(seconds) => seconds.to_string(),
            Seconds::Text(text) => text,
        });
        builder = match text.as_deref() {
            None => builder,
            Some("never") => builder.never_expire(),
            Some(text) => builder.default_timeout(seconds("default_timeout", text)?),
        };
        if let Some(entries) = config.max_entries {
            builder = builder.max_entries(entries);
        }
        if let Some(bytes) = config.max_bytes {
            builder = builder.max_bytes(bytes);
        }
        if let Some(scopes) = config.remembered_invalidations {
            builder =
                builder.remembered_invalidations(usize::try_from(scopes).unwrap_or(usize::MAX));
        }
        Ok(builder)
    }
}
