//! Everything that is shown, at one moment.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::cache::Cache;
use crate::figures::{names, rows};
use crate::stats::Stats;
use crate::watch::Operation;

/// How many of the recent operations are shown.
const OPERATIONS: usize = 50;

#[derive(Serialize)]
struct Snapshot {
    version: u32,
    /// Seconds since 1970.
    at: f64,
    caches: Vec<OfCache>,
}

#[derive(Serialize)]
struct OfCache {
    name: String,
    stats: Stats,
    functions: Vec<OfFunction>,
    store: Option<OfStore>,
    configuration: Vec<(&'static str, String)>,
    dropped_events: u64,
    operations: Vec<Shown>,
}

#[derive(Serialize)]
struct OfFunction {
    name: &'static str,
    stats: Stats,
}

#[derive(Serialize)]
struct OfStore {
    store: String,
    up: bool,
    push: Option<bool>,
    last_heard_seconds: Option<f64>,
    undelivered: usize,
    memory: Option<OfMemory>,
    memory_only: Vec<&'static str>,
}

#[cfg(feature = "stores")]
type OfMemory = crate::store::StoreMemory;
#[cfg(not(feature = "stores"))]
type OfMemory = ();

#[derive(Serialize)]
struct Shown {
    at: f64,
    kind: &'static str,
    detail: String,
    function: &'static str,
    key: Option<String>,
}

pub(super) fn json(caches: &[Cache]) -> String {
    let snapshot = Snapshot {
        version: 1,
        at: seconds(SystemTime::now()),
        caches: (names(caches).into_iter().zip(caches))
            .map(|(name, cache)| of_cache(name, cache))
            .collect(),
    };
    serde_json::to_string(&snapshot).unwrap_or_else(|_| "{}".to_owned())
}

fn of_cache(name: String, cache: &Cache) -> OfCache {
    let functions = rows(cache, &name, false).into_iter();
    OfCache {
        name,
        stats: cache.stats(),
        functions: functions
            .map(|row| OfFunction {
                name: row.function,
                stats: row.stats,
            })
            .collect(),
        store: of_store(cache),
        configuration: cache.configuration(),
        dropped_events: cache.dropped_events(),
        operations: cache
            .operations()
            .iter()
            .take(OPERATIONS)
            .map(shown)
            .collect(),
    }
}

#[cfg(feature = "stores")]
fn of_store(cache: &Cache) -> Option<OfStore> {
    let status = cache.store_status()?;
    Some(OfStore {
        store: status.store,
        up: status.health == crate::store::Health::Up,
        push: status.push,
        last_heard_seconds: status.last_heard.map(|ago| ago.as_secs_f64()),
        undelivered: status.undelivered,
        memory: status.memory,
        memory_only: status.memory_only,
    })
}

#[cfg(not(feature = "stores"))]
fn of_store(_cache: &Cache) -> Option<OfStore> {
    None
}

fn shown(operation: &Operation) -> Shown {
    let event = &operation.event;
    Shown {
        at: seconds(operation.at),
        kind: event.kind.name(),
        detail: event.kind.detail(),
        function: event.function,
        key: event.key.as_deref().map(str::to_owned),
    }
}

fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}
