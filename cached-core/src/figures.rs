//! What Prometheus is told of caches: names, kinds and values, the same in the dashboard's text and
//! through the `metrics` facade.
//!
//! Counters go on over a reset of the statistics, as Prometheus wants them to.

use crate::cache::Cache;
use crate::stats::{Histogram, Stats};

/// One figure, with its labels' values in each of its lines.
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

pub(crate) enum Figure<'a> {
    Count(u64),
    #[cfg(feature = "stores")]
    Measure(f64),
    #[cfg_attr(
        not(feature = "dashboard"),
        expect(dead_code, reason = "recorded one by one")
    )]
    Times(&'a Histogram),
}

pub(crate) type Labels<'a> = &'a [(&'static str, &'a str)];

/// Takes all figures, one metric after the other.
pub(crate) trait Sink {
    /// What follows is of this metric.
    fn metric(&mut self, metric: &Metric);
    /// A value of the metric that was told last.
    fn value(&mut self, metric: &Metric, labels: Labels<'_>, figure: Figure<'_>);
}

type Count = fn(&Stats) -> u64;

const fn counter(name: &'static str, help: &'static str) -> Metric {
    let kind = Kind::Counter;
    Metric { name, kind, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    let kind = Kind::Gauge;
    Metric { name, kind, help }
}

const fn histogram(name: &'static str, help: &'static str) -> Metric {
    let kind = Kind::Histogram;
    Metric { name, kind, help }
}

/// Per function.
const OF_FUNCTIONS: [(Metric, Count); 13] = [
    (
        counter("dewar_hits_total", "Reads served from the cache, fresh."),
        |s| s.hits,
    ),
    (
        counter("dewar_stale_total", "Reads served past their timeout."),
        |s| s.stale,
    ),
    (
        counter(
            "dewar_fallbacks_total",
            "Misses answered with the stale value, as the load failed or was slow.",
        ),
        |s| s.fallbacks,
    ),
    (
        counter("dewar_undecodable_total", "Entries that could not be read."),
        |s| s.undecodable,
    ),
    (
        counter("dewar_loads_total", "Bodies run to fill the cache."),
        |s| s.loads,
    ),
    (
        counter("dewar_load_errors_total", "Bodies that failed."),
        |s| s.load_errors,
    ),
    (
        counter(
            "dewar_coalesced_total",
            "Callers that waited for another's load.",
        ),
        |s| s.coalesced,
    ),
    (
        counter(
            "dewar_fetched_total",
            "Misses that the shared store answered.",
        ),
        |s| s.fetched,
    ),
    (counter("dewar_stores_total", "Results stored."), |s| {
        s.stores
    }),
    (
        counter("dewar_rejections_total", "Results not stored."),
        |s| s.rejections,
    ),
    (
        counter("dewar_evictions_total", "Entries that left to make room."),
        |s| s.evictions,
    ),
    (gauge("dewar_entries", "Entries in memory."), |s| s.entries),
    (
        gauge(
            "dewar_memory_bytes",
            "What the entries take, as far as it is known.",
        ),
        |s| s.bytes,
    ),
];

const MISSES: Metric = counter(
    "dewar_misses_total",
    "Reads that found nothing to serve, by reason.",
);

const REASONS: [(&str, Count); 5] = [
    ("absent", |s| s.absent),
    ("expired", |s| s.expired),
    ("invalidated", |s| s.invalidated),
    ("bypassed", |s| s.bypassed),
    ("refreshed", |s| s.refreshed),
];

/// Per cache.
const OF_CACHES: [(Metric, Count); 4] = [
    (
        counter("dewar_invalidations_total", "Invalidations."),
        |s| s.invalidations,
    ),
    (
        counter("dewar_store_errors_total", "Failures of the shared store."),
        |s| s.store_errors,
    ),
    (
        counter(
            "dewar_messages_total",
            "Invalidations heard of from other processes.",
        ),
        |s| s.messages,
    ),
    (
        counter(
            "dewar_undecodable_messages_total",
            "Messages that could not be read.",
        ),
        |s| s.undecodable_messages,
    ),
];

/// How long loads took.
pub(crate) const LOADS: Metric = histogram("dewar_load_duration_seconds", "How long loads took.");
/// How long operations of a store took.
pub(crate) const STORE_OPERATIONS: Metric = histogram(
    "dewar_store_operation_duration_seconds",
    "How long operations of the shared store took.",
);

#[cfg(feature = "stores")]
type OfStore = fn(&crate::store::StoreStatus) -> Option<f64>;

/// Per shared store.
#[cfg(feature = "stores")]
const OF_STORES: [(Metric, OfStore); 7] = [
    (
        gauge("dewar_store_up", "Whether the shared store answers."),
        |s| Some(f64::from(u8::from(s.health == crate::store::Health::Up))),
    ),
    (
        gauge(
            "dewar_undelivered_invalidations",
            "Scopes whose invalidation has not reached the shared store.",
        ),
        |s| Some(s.undelivered as f64),
    ),
    (
        gauge(
            "dewar_store_memory_used_bytes",
            "What the store's server uses.",
        ),
        |s| Some(s.memory?.used as f64),
    ),
    (
        gauge(
            "dewar_store_memory_peak_bytes",
            "The most it used since it was started.",
        ),
        |s| Some(s.memory?.peak as f64),
    ),
    (
        gauge(
            "dewar_store_memory_limit_bytes",
            "What it may use, where there is a bound.",
        ),
        |s| Some(s.memory?.limit? as f64),
    ),
    (
        gauge(
            "dewar_store_memory_fragmentation_ratio",
            "What it has of the operating system for each byte that it uses.",
        ),
        |s| Some(s.memory?.fragmentation),
    ),
    (
        gauge("dewar_store_keys", "Keys in the store's database."),
        |s| Some(s.memory?.keys as f64),
    ),
];

/// What one function does in one cache.
pub(crate) struct Row {
    pub(crate) cache: String,
    pub(crate) function: &'static str,
    pub(crate) stats: Stats,
}

/// What caches are called, told apart where two have one name: `default`, `default (2)`. Those that
/// are published have the same name everywhere, and the others give way.
pub(crate) fn names(caches: &[Cache]) -> Vec<String> {
    let published = |cache: &Cache| cache.engine().watch.published().map(str::to_owned);
    let mut names: Vec<Option<String>> = caches.iter().map(published).collect();
    for (at, cache) in caches.iter().enumerate() {
        if names[at].is_none() {
            let taken = |name: &str| names.iter().any(|known| known.as_deref() == Some(name));
            names[at] = Some(free(cache.name(), taken));
        }
    }
    names.into_iter().flatten().collect()
}

/// A name, or the first with a number behind it that is not taken.
pub(crate) fn free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let (mut free, mut times) = (name.to_owned(), 1);
    while taken(&free) {
        times += 1;
        free = format!("{name} ({times})");
    }
    free
}

/// Every function of a cache that is called this, by name: those of one name are one. `since_start`,
/// whatever was reset.
pub(crate) fn rows(cache: &Cache, called: &str, since_start: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (function, stats) in cache.all_stats(since_start) {
        match rows.last_mut().filter(|row| row.function == function) {
            Some(row) => row.stats += stats,
            None => rows.push(Row {
                cache: called.to_owned(),
                function,
                stats,
            }),
        }
    }
    rows
}

/// Tells everything there is to tell of these caches.
pub(crate) fn tell(caches: &[Cache], sink: &mut impl Sink) {
    let names = names(caches);
    let named = || names.iter().map(String::as_str).zip(caches);
    let rows: Vec<Row> = named()
        .flat_map(|(name, cache)| rows(cache, name, true))
        .collect();
    functions(&rows, sink);
    let own: Vec<(&str, Stats)> = named()
        .map(|(name, cache)| (name, cache.total_stats()))
        .collect();
    for (metric, count) in &OF_CACHES {
        sink.metric(metric);
        for (cache, stats) in &own {
            sink.value(metric, &[("cache", cache)], Figure::Count(count(stats)));
        }
    }
    sink.metric(&STORE_OPERATIONS);
    for (cache, stats) in &own {
        let times = Figure::Times(&stats.store_times);
        sink.value(&STORE_OPERATIONS, &[("cache", cache)], times);
    }
    #[cfg(feature = "stores")]
    stores(named(), sink);
}

fn functions(rows: &[Row], sink: &mut impl Sink) {
    for (metric, count) in &OF_FUNCTIONS {
        sink.metric(metric);
        for row in rows {
            let labels = [("cache", &*row.cache), ("function", row.function)];
            sink.value(metric, &labels, Figure::Count(count(&row.stats)));
        }
    }
    sink.metric(&MISSES);
    for row in rows {
        for (reason, count) in REASONS {
            let labels = [
                ("cache", &*row.cache),
                ("function", row.function),
                ("reason", reason),
            ];
            sink.value(&MISSES, &labels, Figure::Count(count(&row.stats)));
        }
    }
    sink.metric(&LOADS);
    for row in rows {
        let labels = [("cache", &*row.cache), ("function", row.function)];
        sink.value(&LOADS, &labels, Figure::Times(&row.stats.load_times));
    }
}

#[cfg(feature = "stores")]
fn stores<'a>(caches: impl Iterator<Item = (&'a str, &'a Cache)>, sink: &mut impl Sink) {
    let statuses: Vec<_> = caches
        .map(|(name, cache)| (name, cache.store_status()))
        .collect();
    for (metric, value) in &OF_STORES {
        sink.metric(metric);
        for (cache, status) in &statuses {
            if let Some(value) = status.as_ref().and_then(value) {
                sink.value(metric, &[("cache", cache)], Figure::Measure(value));
            }
        }
    }
}
