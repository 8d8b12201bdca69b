//! The figures in Prometheus' text format.
//!
//! Counters go on over a reset of the statistics, as Prometheus wants them to.

use std::fmt::Write;

use super::snapshot::{Row, rows};
use crate::cache::Cache;
use crate::stats::{Histogram, Stats};

pub(super) const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

type Count = fn(&Stats) -> u64;

/// Per function: name, what it is, and where it is read.
const COUNTERS: [(&str, &str, Count); 11] = [
    ("hits", "Reads served from the cache, fresh.", |s| s.hits),
    ("stale", "Reads served past their timeout.", |s| s.stale),
    (
        "fallbacks",
        "Misses answered with the stale value, as the load failed or was slow.",
        |s| s.fallbacks,
    ),
    ("undecodable", "Entries that could not be read.", |s| {
        s.undecodable
    }),
    ("loads", "Bodies run to fill the cache.", |s| s.loads),
    ("load_errors", "Bodies that failed.", |s| s.load_errors),
    (
        "coalesced",
        "Callers that waited for another's load.",
        |s| s.coalesced,
    ),
    ("fetched", "Misses that the shared store answered.", |s| {
        s.fetched
    }),
    ("stores", "Results stored.", |s| s.stores),
    ("rejections", "Results not stored.", |s| s.rejections),
    ("evictions", "Entries that left to make room.", |s| {
        s.evictions
    }),
];

const REASONS: [(&str, Count); 5] = [
    ("absent", |s| s.absent),
    ("expired", |s| s.expired),
    ("invalidated", |s| s.invalidated),
    ("bypassed", |s| s.bypassed),
    ("refreshed", |s| s.refreshed),
];

/// Per cache.
const OF_CACHES: [(&str, &str, Count); 4] = [
    ("invalidations", "Invalidations.", |s| s.invalidations),
    ("store_errors", "Failures of the shared store.", |s| {
        s.store_errors
    }),
    (
        "messages",
        "Invalidations heard of from other processes.",
        |s| s.messages,
    ),
    (
        "undecodable_messages",
        "Messages that could not be read.",
        |s| s.undecodable_messages,
    ),
];

pub(super) fn text(caches: &[Cache]) -> String {
    let rows: Vec<Row> = caches.iter().flat_map(|cache| rows(cache, true)).collect();
    let own: Vec<(&str, Stats)> = caches
        .iter()
        .map(|cache| (cache.name(), cache.total_stats()))
        .collect();
    let mut out = String::new();
    for (name, help, count) in COUNTERS {
        head(&mut out, &format!("{name}_total"), "counter", help);
        for row in &rows {
            line(
                &mut out,
                &format!("{name}_total"),
                &labels(row, ""),
                count(&row.stats),
            );
        }
    }
    head(
        &mut out,
        "misses_total",
        "counter",
        "Reads that found nothing to serve, by reason.",
    );
    for row in &rows {
        for (reason, count) in REASONS {
            let labels = labels(row, &format!(",reason=\"{reason}\""));
            line(&mut out, "misses_total", &labels, count(&row.stats));
        }
    }
    for (name, help, count) in OF_CACHES {
        head(&mut out, &format!("{name}_total"), "counter", help);
        for (cache, stats) in &own {
            line(
                &mut out,
                &format!("{name}_total"),
                &format!("cache=\"{}\"", quoted(cache)),
                count(stats),
            );
        }
    }
    sizes(&mut out, &rows);
    head(
        &mut out,
        "load_duration_seconds",
        "histogram",
        "How long loads took.",
    );
    for row in &rows {
        histogram(
            &mut out,
            "load_duration_seconds",
            &labels(row, ""),
            &row.stats.load_times,
        );
    }
    head(
        &mut out,
        "store_operation_duration_seconds",
        "histogram",
        "How long operations of the shared store took.",
    );
    for (cache, stats) in &own {
        let labels = format!("cache=\"{}\"", quoted(cache));
        histogram(
            &mut out,
            "store_operation_duration_seconds",
            &labels,
            &stats.store_times,
        );
    }
    stores(&mut out, caches);
    out
}

fn sizes(out: &mut String, rows: &[Row]) {
    let gauges: [(&str, &str, Count); 2] = [
        ("entries", "Entries in memory.", |s| s.entries),
        (
            "memory_bytes",
            "What the entries take, as far as it is known.",
            |s| s.bytes,
        ),
    ];
    for (name, help, count) in gauges {
        head(out, name, "gauge", help);
        for row in rows {
            line(out, name, &labels(row, ""), count(&row.stats));
        }
    }
}

#[cfg(feature = "stores")]
fn stores(out: &mut String, caches: &[Cache]) {
    let up =
        |status: &crate::store::StoreStatus| u64::from(status.health == crate::store::Health::Up);
    head(
        out,
        "store_up",
        "gauge",
        "Whether the shared store answers.",
    );
    for (cache, status) in caches
        .iter()
        .filter_map(|cache| Some((cache, cache.store_status()?)))
    {
        line(
            out,
            "store_up",
            &format!("cache=\"{}\"", quoted(cache.name())),
            up(&status),
        );
    }
    head(
        out,
        "undelivered_invalidations",
        "gauge",
        "Scopes whose invalidation has not reached the shared store.",
    );
    for (cache, status) in caches
        .iter()
        .filter_map(|cache| Some((cache, cache.store_status()?)))
    {
        let labels = format!("cache=\"{}\"", quoted(cache.name()));
        line(
            out,
            "undelivered_invalidations",
            &labels,
            status.undelivered as u64,
        );
    }
}

#[cfg(not(feature = "stores"))]
fn stores(_out: &mut String, _caches: &[Cache]) {}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(
        out,
        "# HELP dewar_{name} {help}\n# TYPE dewar_{name} {kind}"
    );
}

fn line(out: &mut String, name: &str, labels: &str, value: u64) {
    let _ = writeln!(out, "dewar_{name}{{{labels}}} {value}");
}

fn histogram(out: &mut String, name: &str, labels: &str, times: &Histogram) {
    for (le, count) in times.buckets() {
        let le = le.as_secs_f64();
        let _ = writeln!(out, "dewar_{name}_bucket{{{labels},le=\"{le}\"}} {count}");
    }
    let (count, sum) = (times.count(), times.sum().as_secs_f64());
    let _ = writeln!(out, "dewar_{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
    let _ = writeln!(out, "dewar_{name}_sum{{{labels}}} {sum}");
    let _ = writeln!(out, "dewar_{name}_count{{{labels}}} {count}");
}

fn labels(row: &Row, more: &str) -> String {
    format!(
        "cache=\"{}\",function=\"{}\"{more}",
        quoted(&row.cache),
        quoted(row.function)
    )
}

/// A label's value, as the format wants it.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
