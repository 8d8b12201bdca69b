//! `/cache-stats`: what the caches have done so far.

use std::fmt::Write;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};
use dewar::{Cache, Stats};
use serde::Serialize;

use crate::Shop;
use crate::data::compare::MEMORY;
use crate::templates::context;
use crate::web::failed::Failed;

/// A cache or a function in numbers.
#[derive(Debug, Serialize)]
struct Figures {
    name: String,
    entries: Option<usize>,
    hits: u64,
    misses: u64,
    stale: u64,
    bypassed: u64,
    refreshed: u64,
    loads: u64,
    load_errors: u64,
    coalesced: u64,
    evictions: u64,
    invalidations: u64,
    /// From 0 to 1.
    hit_ratio: f64,
    mean_load_millis: f64,
}

impl Figures {
    fn new(name: impl Into<String>, entries: Option<usize>, stats: &Stats) -> Self {
        Figures {
            name: name.into(),
            entries,
            hits: stats.hits,
            misses: stats.misses(),
            stale: stats.stale,
            bypassed: stats.bypassed,
            refreshed: stats.refreshed,
            loads: stats.loads,
            load_errors: stats.load_errors,
            coalesced: stats.coalesced,
            evictions: stats.evictions,
            invalidations: stats.invalidations,
            hit_ratio: stats.hit_ratio(),
            mean_load_millis: stats.mean_load().as_secs_f64() * 1e3,
        }
    }
}

/// Every cache of the shop, and what calls them.
#[derive(Debug, Serialize)]
struct Overview {
    caches: Vec<Figures>,
    functions: Vec<Figures>,
}

impl Overview {
    fn of(shop: &Shop) -> Self {
        let caches = [&Cache::current(), shop.sessions.cache(), &MEMORY];
        let cache = |cache: &&Cache| Figures::new(cache.name(), Some(cache.len()), &cache.stats());
        let functions = caches.iter().flat_map(|cache| cache.function_stats());
        let mut functions: Vec<_> = functions
            .map(|(name, stats)| Figures::new(name, None, &stats))
            .collect();
        functions.sort_by_key(|function| std::cmp::Reverse(function.hits + function.misses));
        Overview {
            caches: caches.iter().map(cache).collect(),
            functions,
        }
    }
}

pub(super) async fn page(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    let overview = Overview::of(&shop);
    let html: Html<String> = shop.templates.render("stats.html", context! { overview })?;
    Ok(html)
}

pub(super) async fn json(State(shop): State<Shop>) -> impl IntoResponse {
    Json(Overview::of(&shop))
}

/// In the text format of Prometheus.
pub(super) async fn metrics(State(shop): State<Shop>) -> impl IntoResponse {
    let overview = Overview::of(&shop);
    let mut text = String::new();
    let mut series = |name: &str, kind: &str, value: &dyn Fn(&Figures) -> Option<u64>| {
        let _ = writeln!(text, "# TYPE shop_cache_{name} {kind}");
        for cache in &overview.caches {
            if let Some(value) = value(cache) {
                let _ = writeln!(
                    text,
                    "shop_cache_{name}{{cache=\"{}\"}} {value}",
                    cache.name
                );
            }
        }
    };
    series("hits_total", "counter", &|cache| Some(cache.hits));
    series("misses_total", "counter", &|cache| Some(cache.misses));
    series("loads_total", "counter", &|cache| Some(cache.loads));
    series("evictions_total", "counter", &|cache| Some(cache.evictions));
    series("invalidations_total", "counter", &|cache| {
        Some(cache.invalidations)
    });
    series("entries", "gauge", &|cache| {
        cache.entries.map(|entries| entries as u64)
    });
    let format = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (format, text)
}
