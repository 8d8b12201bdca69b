//! Settings from TOML, JSON, YAML or anything else that serde reads.

use serde::Deserialize;

use super::Cache;
use super::builder::CacheBuilder;
use super::env::{seconds, store_kind};
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
    /// The store: `memory` or `null`.
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

impl TryFrom<CacheConfig> for CacheBuilder {
    type Error = Error;

    fn try_from(config: CacheConfig) -> Result<CacheBuilder, Error> {
        let mut builder = Cache::builder();
        if let Some(kind) = &config.store {
            builder = builder.store(store_kind("type", kind)?);
        }
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
        Ok(builder)
    }
}
