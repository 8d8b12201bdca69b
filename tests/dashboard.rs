//! What the dashboard's routes answer, and to whom.
#![cfg(feature = "dashboard")]

#[path = "common/dashboard.rs"]
mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use common::{OURS, ask, figures, get, mounted, next, opened, order, token};
use dewar::cached;
use dewar::dashboard::Dashboard;
use dewar::testing::TestCache;
use serde_json::json;

#[cached(timeout = 60, key_prefix = "price:{id}", tags("prices"))]
fn price(id: u64) -> Result<u64, String> {
    match id {
        13 => Err("no such price".into()),
        id => Ok(id * 100),
    }
}

#[tokio::test]
async fn it_opens_on_zero_traffic_with_zeros() {
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache));
    let all = get(&app, "/admin/cache/stats.json").await;
    assert!(!all.contains("NaN"), "{all}");
    let stats = &figures(&app).await["caches"][0]["stats"];
    assert_eq!(
        (&stats["hit_ratio"], &stats["lookups"]),
        (&json!(0.0), &json!(0))
    );
    assert_eq!(stats["load_times"]["p95_seconds"], json!(0.0));
    let metrics = get(&app, "/admin/cache/metrics").await;
    assert!(!metrics.contains("NaN"), "{metrics}");
    let page = get(&app, "/admin/cache").await;
    // Seen from the page, wherever a proxy shows it.
    assert!(page.contains("src=\"./cache/script.js\""), "{page}");
    let at_root = Dashboard::new().cache(&cache).router();
    assert!(get(&at_root, "/").await.contains("src=\"./script.js\""));
}

#[tokio::test]
async fn figures_follow_what_happens() {
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache));
    let mut page = opened(&app).await;
    next(&mut page).await;
    cache.run(|| {
        for id in [1, 1, 1, 2, 13] {
            let _ = price(id);
        }
    });
    let all = figures(&app).await;
    let functions = all["caches"][0]["functions"].as_array().unwrap();
    let prices = functions
        .iter()
        .find(|f| f["name"] == "dashboard::price")
        .unwrap();
    let stats = &prices["stats"];
    assert_eq!((&stats["hits"], &stats["absent"]), (&json!(2), &json!(3)));
    assert_eq!(
        (&stats["load_errors"], &stats["entries"]),
        (&json!(1), &json!(2))
    );
    let kinds: Vec<_> = all["caches"][0]["operations"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert!(kinds.iter().any(|operation| operation["kind"] == "hit"));
    let metrics = get(&app, "/admin/cache/metrics").await;
    let expected =
        "dewar_misses_total{cache=\"default\",function=\"dashboard::price\",reason=\"absent\"} 3";
    assert!(metrics.contains(expected), "{metrics}");
}

#[tokio::test]
async fn what_is_done_is_written_down_only_while_a_page_is_open() {
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache));
    let seen = async || {
        figures(&app).await["caches"][0]["operations"]
            .as_array()
            .unwrap()
            .len()
    };
    let call = || cache.run(|| price(1)).unwrap();
    let reads = |times| (0..times).for_each(|_| assert_eq!(call(), 100));
    get(&app, "/admin/cache").await;
    get(&app, "/admin/cache/metrics").await;
    reads(9);
    assert_eq!(seen().await, 0, "nobody looks");
    let mut page = opened(&app).await;
    next(&mut page).await;
    reads(9);
    assert_eq!(seen().await, 9, "every hit");
    drop(page);
    cache.advance(std::time::Duration::from_secs(11));
    reads(9);
    assert_eq!(seen().await, 9, "nobody looks any more");
}

#[tokio::test]
async fn counters_for_prometheus_go_on_over_a_reset() {
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache));
    cache.run(|| (price(1), price(1)).0).unwrap();
    cache.reset_stats();
    assert_eq!(figures(&app).await["caches"][0]["stats"]["hits"], 0);
    let metrics = get(&app, "/admin/cache/metrics").await;
    assert!(
        metrics.contains("dewar_hits_total{cache=\"default\",function=\"dashboard::price\"} 1")
    );
}

#[tokio::test]
async fn functions_of_caches_that_were_not_named_are_not_shown() {
    let (shown, other) = (TestCache::new(), TestCache::new());
    let app = mounted(Dashboard::new().cache(&shown));
    other.run(|| price(1)).unwrap();
    assert!(
        !get(&app, "/admin/cache/stats.json")
            .await
            .contains("dashboard::price")
    );
}

#[tokio::test]
async fn caches_of_one_name_are_told_apart() {
    let (one, other) = (TestCache::new(), TestCache::new());
    let dashboard = Dashboard::new().cache(&one).cache(&other).cache(&one);
    let app = mounted(dashboard.allow_invalidation());
    other.run(|| price(1)).unwrap();
    let metrics = get(&app, "/admin/cache/metrics").await;
    let (mut lines, all) = (std::collections::HashSet::new(), metrics.lines());
    for line in all.filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        assert!(lines.insert(series), "{series} is there twice");
    }
    let loads = "dewar_loads_total{cache=\"default (2)\",function=\"dashboard::price\"} 1";
    assert!(metrics.contains(loads), "{metrics}");
    assert_eq!(figures(&app).await["caches"].as_array().unwrap().len(), 2);
    let body = json!({ "cache": "default (2)", "what": "all" });
    let answer = ask(&app, order(&token(&app).await, &OURS, body)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        (one.stats().invalidations, other.stats().invalidations),
        (0, 1)
    );
}

#[tokio::test]
async fn every_answer_is_strict_about_what_may_run_and_who_may_frame_it() {
    let app = mounted(Dashboard::new().title("<script>alert(1)</script>"));
    for path in [
        "",
        "/style.css",
        "/script.js",
        "/stats.json",
        "/metrics",
        "/events",
    ] {
        let request = Request::get(format!("/admin/cache{path}"))
            .body(Body::empty())
            .unwrap();
        let response = ask(&app, request).await;
        let headers = response.headers().clone();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "no-store");
    }
    assert!(!get(&app, "/admin/cache").await.contains("<script>alert"));
}

#[tokio::test]
async fn the_page_and_what_it_loads_are_small_and_ask_nobody_else() {
    let app = mounted(Dashboard::new().allow_invalidation());
    let mut size = 0;
    for path in ["", "/style.css", "/script.js"] {
        let part = get(&app, &format!("/admin/cache{path}")).await;
        size += part.len();
        let known = ["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"];
        let left = known
            .iter()
            .fold(part, |part, known| part.replace(known, ""));
        assert!(
            !left.contains("http://") && !left.contains("https://"),
            "{path}"
        );
        assert!(!left.contains("innerHTML"), "{path}");
    }
    assert!(size < 100 * 1024, "{size}");
}
