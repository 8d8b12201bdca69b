//! Everything that is shown, at one moment; for the page as much of it as it shows.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::cache::Cache;
use crate::figures::{Row, names, rows};
use crate::stats::Stats;
use crate::watch::Operation;

/// How many of the recent operations are shown.
const OPERATIONS: usize = 50;
/// How many functions a page is told of every second, all caches taken together.
const FUNCTIONS: usize = 100;
/// How many of each cache at least, if it has so many.
const OF_EACH: usize = 10;
/// How many of those that stay in memory are named to it.
const MEMORY_ONLY: usize = 20;

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
    /// Those that are left out included.
    functions_total: usize,
    store: Option<OfStore>,
    configuration: Vec<(&'static str, String)>,
    dropped_events: u64,
    operations: Vec<Shown>,
}

#[derive(Serialize)]
struct OfFunction {
    name: &'static str,
    stats: Figures,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Figures {
    All(Box<Stats>),
    OfPage(OfPage),
}

/// What the page's table has of a function.
#[derive(Serialize)]
struct OfPage {
    lookups: u64,
    hit_ratio: f64,
    misses: u64,
    loads: u64,
    load_errors: u64,
    time_saved_seconds: f64,
    entries: u64,
    bytes: u64,
    load_times: Times,
}

#[derive(Serialize)]
struct Times {
    mean_seconds: f64,
    p95_seconds: f64,
}

impl Figures {
    fn lookups(&self) -> u64 {
        match self {
            Figures::All(stats) => stats.lookups(),
            Figures::OfPage(figures) => figures.lookups,
        }
    }

    fn for_page(&mut self) {
        if let Figures::All(stats) = self {
            *self = Figures::OfPage(OfPage {
                lookups: stats.lookups(),
                hit_ratio: stats.hit_ratio(),
                misses: stats.misses(),
                loads: stats.loads,
                load_errors: stats.load_errors,
                time_saved_seconds: stats.time_saved().as_secs_f64(),
                entries: stats.entries,
                bytes: stats.bytes,
                load_times: Times {
                    mean_seconds: stats.mean_load().as_secs_f64(),
                    p95_seconds: stats.load_times.quantile(0.95).as_secs_f64(),
                },
            });
        }
    }
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
    /// Those that are left out included.
    memory_only_total: usize,
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

/// All there is.
pub(super) fn json(caches: &[Cache]) -> String {
    written(&snapshot(caches))
}

/// What a page shows: bounded, however many functions there are.
pub(super) fn of_page(caches: &[Cache]) -> String {
    let mut snapshot = snapshot(caches);
    let shown = most_read(&snapshot.caches);
    for (cache, shown) in snapshot.caches.iter_mut().zip(shown) {
        let mut place = 0..;
        (cache.functions).retain(|_| place.next().is_some_and(|place| shown.contains(&place)));
        cache
            .functions
            .iter_mut()
            .for_each(|it| it.stats.for_page());
        if let Some(store) = &mut cache.store {
            store.memory_only.truncate(MEMORY_ONLY);
        }
    }
    written(&snapshot)
}

/// The places, in each cache, of the functions that are read most: of all, and of that cache. Of
/// those that are read as often, the first ones.
fn most_read(caches: &[OfCache]) -> Vec<HashSet<usize>> {
    let mut all = Vec::new();
    for (cache, of) in caches.iter().enumerate() {
        let reads = of.functions.iter().map(|it| it.stats.lookups());
        all.extend(
            reads
                .enumerate()
                .map(|(place, reads)| (cache, place, reads)),
        );
    }
    all.sort_by_key(|(_, _, reads)| Reverse(*reads));
    let mut shown = vec![HashSet::new(); caches.len()];
    for (rank, (cache, place, _)) in all.into_iter().enumerate() {
        let of = &mut shown[cache];
        if rank < FUNCTIONS || of.len() < OF_EACH {
            of.insert(place);
        }
    }
    shown
}

fn written(snapshot: &Snapshot) -> String {
    serde_json::to_string(snapshot).unwrap_or_else(|_| "{}".to_owned())
}

fn snapshot(caches: &[Cache]) -> Snapshot {
    Snapshot {
        version: 1,
        at: seconds(SystemTime::now()),
        caches: (names(caches).into_iter().zip(caches))
            .map(|(name, cache)| of_cache(name, cache))
            .collect(),
    }
}

fn of_cache(name: String, cache: &Cache) -> OfCache {
    let functions = rows(cache, &name, false).into_iter();
    let of_function = |row: Row| OfFunction {
        name: row.function,
        stats: Figures::All(Box::new(row.stats)),
    };
    let functions: Vec<_> = functions.map(of_function).collect();
    OfCache {
        name,
        stats: cache.stats(),
        functions_total: functions.len(),
        functions,
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
        memory_only_total: status.memory_only.len(),
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
