//! What the dashboard tells of caches, functions and stores: to its pages, as JSON, to Prometheus, and to the
//! developer of one request.
#![cfg(feature = "dashboard")]

#[path = "common/dashboard.rs"]
mod common;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use common::{ask, figures, get, mounted, next, opened, text};
use dewar::dashboard::Dashboard;
use dewar::testing::TestCache;
use dewar::{Cache, cached};
use http_body_util::BodyExt;
use serde_json::{Value, json};

#[cached(timeout = 60, key_prefix = "price:{id}", tags("prices"))]
fn price(id: u64) -> Result<u64, String> {
    match id {
        13 => Err("no such price".into()),
        id => Ok(id * 100),
    }
}

#[tokio::test]
async fn events_come_once_a_second_to_a_bounded_number_of_pages() {
    let cache = Cache::builder().build().unwrap();
    let app = mounted(Dashboard::new().cache(&cache));
    let open = || async {
        ask(
            &app,
            Request::get("/admin/cache/events")
                .body(Body::empty())
                .unwrap(),
        )
        .await
    };
    let mut first = open().await;
    assert_eq!(first.headers()["content-type"], "text/event-stream");
    let frame = first.body_mut().frame().await.unwrap().unwrap();
    let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
    let json = text.strip_prefix("retry: 500\ndata: ").unwrap().trim_end();
    assert_eq!(serde_json::from_str::<Value>(json).unwrap()["version"], 1);
    let mut others = Vec::new();
    for _ in 0..31 {
        others.push(open().await);
    }
    assert_eq!(open().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(first);
    assert_eq!(open().await.status(), StatusCode::OK);
}

/// Asks a real server for the stream, and reads so many of its events.
fn events(at: std::net::SocketAddr, count: usize) -> Vec<Value> {
    use std::io::{BufRead, BufReader, Write};

    let mut stream = std::net::TcpStream::connect(at).unwrap();
    let request = "GET /admin/cache/events HTTP/1.0\r\nhost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    let data = lines.filter_map(|line| Some(line.strip_prefix("data: ")?.to_owned()));
    let events = data.map(|json| serde_json::from_str(&json).unwrap());
    events.take(count).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_open_pages_are_told_what_was_collected_once_and_no_more_than_they_show() {
    use dewar::http::{CacheLayer, ViewPolicy};

    // A thousand functions, or what is counted as such.
    let cache = Cache::builder().build().unwrap();
    for n in 0..1_000 {
        let name: &'static str = format!("shop::pages::function_{n:04}").leak();
        let layer = CacheLayer::new(ViewPolicy::new()).cache(&cache).name(name);
        let page = axum::routing::get(|| async { "page" });
        let app: Router = Router::new().route("/", page).layer(layer);
        for _ in 0..if n % 100 == 99 { 3 } else { 1 } {
            let request = Request::get("/").header("host", "a");
            let body = ask(&app, request.body(Body::empty()).unwrap()).await;
            assert_eq!(text(body).await, "page");
        }
    }
    let app = mounted(Dashboard::new().cache(&cache));
    let all = figures(&app).await;
    let functions = |it: &Value| it["caches"][0]["functions"].as_array().unwrap().clone();
    assert_eq!(functions(&all).len(), 1_001);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let begun = std::time::Instant::now();
    let pages = (0..10).map(|_| tokio::task::spawn_blocking(move || events(address, 3)));
    let pages: Vec<_> = pages.collect();
    let mut moments = std::collections::HashSet::new();
    for page in pages {
        let told = page.await.unwrap();
        assert_eq!(told.len(), 3);
        moments.extend(told.iter().map(|it| it["at"].to_string()));
        let shown = &told[2]["caches"][0];
        assert_eq!(
            (functions(&told[2]).len(), &shown["functions_total"]),
            (100, &json!(1_001))
        );
        // The figures of all, and of those that are read most.
        assert_eq!(shown["stats"]["lookups"], 1_020);
        let reads = |it: &Value| it["stats"]["lookups"] == 3;
        assert_eq!(
            functions(&told[2]).iter().filter(|it| reads(it)).count(),
            10
        );
        let size = told[2].to_string().len();
        assert!(size < 100_000, "{size}");
    }
    // Once a second, and not once for each of ten pages.
    let most = begun.elapsed().as_secs() as usize + 2;
    assert!(moments.len() >= 2 && moments.len() <= most, "{moments:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_beside_a_busy_one_shows_the_ten_functions_that_are_read_most() {
    use dewar::http::{CacheLayer, ViewPolicy};

    let caches: Vec<_> = ["busy", "quiet"]
        .map(|name| Cache::builder().name(name).build().unwrap())
        .into();
    for (cache, functions) in caches.iter().zip([150, 30]) {
        for n in 0..functions {
            let name: &'static str = format!("shop::page_{n:03}").leak();
            let layer = CacheLayer::new(ViewPolicy::new()).cache(cache).name(name);
            let page = axum::routing::get(|| async { "page" });
            let app: Router = Router::new().route("/", page).layer(layer);
            let reads = match functions {
                150 => 3,
                _ if n >= 25 => 2,
                _ => 1,
            };
            for _ in 0..reads {
                let request = Request::get("/").header("host", "a");
                ask(&app, request.body(Body::empty()).unwrap()).await;
            }
        }
    }
    let dashboard = caches.iter().fold(Dashboard::new(), Dashboard::cache);
    let app = mounted(dashboard);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let told = tokio::task::spawn_blocking(move || events(address, 1));
    let shown = &told.await.unwrap()[0]["caches"];
    let names = |cache: usize| -> Vec<&str> {
        let functions = shown[cache]["functions"].as_array().unwrap();
        functions
            .iter()
            .map(|it| it["name"].as_str().unwrap())
            .collect()
    };
    assert_eq!(names(0).len(), 100);
    let quiet = names(1);
    assert_eq!(quiet.len(), 10, "{quiet:?}");
    for n in 25..30 {
        assert!(quiet.contains(&&*format!("shop::page_{n:03}")), "{quiet:?}");
    }
}

#[tokio::test]
async fn the_json_is_what_its_schema_says() {
    let schema = include_str!("../examples/observability/stats.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache));
    schema.validate(&figures(&app).await).unwrap();
    cache.run(|| (price(1), price(1), price(13)).0).unwrap();
    let all = figures(&app).await;
    schema.validate(&all).unwrap();
    let mut other = all.clone();
    other["caches"][0]["stats"]["hits"] = json!("many");
    assert!(!schema.is_valid(&other));
}

/// promtool, where it is installed, reads the text as Prometheus does.
#[tokio::test]
async fn the_text_for_prometheus_is_what_it_expects() {
    let cache = TestCache::with(Cache::builder().name("a \"name\" with \\ and\nlines")).unwrap();
    let app = mounted(Dashboard::new().cache(&cache));
    cache.run(|| (price(1), price(1), price(13)).0).unwrap();
    let metrics = get(&app, "/admin/cache/metrics").await;
    for line in metrics.lines() {
        assert!(
            line.starts_with("# ") || line.starts_with("dewar_"),
            "{line}"
        );
    }
    let mut promtool = match std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
    {
        Ok(promtool) => promtool,
        Err(_) => return eprintln!("promtool is not installed: not asked"),
    };
    std::io::Write::write_all(&mut promtool.stdin.take().unwrap(), metrics.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.status.success() && words.is_empty(),
        "{words}\n{metrics}"
    );
}

#[tokio::test]
async fn a_request_reports_what_it_asked_of_the_caches() {
    use axum::routing::get;
    use dewar::Report;
    use dewar::http::ReportLayer;

    let cache = TestCache::new();
    let page = {
        let cache = cache.clone();
        move |report: Report| async move {
            cache.run(|| (price(1), price(1), price(2)).0).unwrap();
            report.events().len().to_string()
        }
    };
    let app = Router::new()
        .route("/", get(page))
        .layer(ReportLayer::new());
    let request = || Request::get("/").body(Body::empty()).unwrap();
    let first = ask(&app, request()).await;
    let timing = first.headers()["server-timing"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        timing.starts_with("cache;desc=\"1 hits, 0 stale, 2 misses\", cache-load;dur="),
        "{timing}"
    );
    let named = "cache-1;desc=\"miss (absent) dashboard_told::price price:1:";
    assert!(timing.contains(named), "{timing}");
    let (_, first_call) = timing.split_once(named).unwrap();
    assert!(first_call.contains("\";dur=0."), "{timing}");
    assert!(
        timing.contains("cache-2;desc=\"hit dashboard_told::price price:1:"),
        "{timing}"
    );
    assert_eq!(text(first).await, "7");
    let second = ask(&app, request()).await;
    let timing = second.headers()["server-timing"].to_str().unwrap();
    assert!(timing.contains("3 hits, 0 stale, 0 misses"), "{timing}");
    assert!(
        timing.contains("desc=\"2 x hit dashboard_told::price price:1:"),
        "{timing}"
    );
}

#[tokio::test]
async fn without_the_layer_a_handler_that_asks_for_the_report_says_so() {
    use axum::routing::get;

    let page = |report: dewar::Report| async move { format!("{report:?}") };
    let app: Router = Router::new().route("/", get(page));
    let answer = ask(&app, Request::get("/").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text(answer).await.contains("ReportLayer"));
}

#[cfg(all(feature = "compress", feature = "seal"))]
#[tokio::test]
async fn the_configuration_of_store_and_values_is_shown_and_no_key_of_it() {
    use dewar::{EventKeys, SealKey, testing::FaultyStore};
    use std::time::Duration;

    let secret = "7e".repeat(32);
    let key = SealKey::from_hex(&secret).unwrap();
    let builder = Cache::builder().max_entries(500).shared(FaultyStore::new());
    let builder = builder
        .namespace("shop")
        .compress_from(2048)
        .seal([key])
        .store_timeout(Duration::from_millis(250))
        .memory_copies(Duration::from_secs(2))
        .event_keys(EventKeys::Hashed);
    let app = mounted(Dashboard::new().cache(&TestCache::with(builder).unwrap()));
    let all = figures(&app).await;
    let shown = all["caches"][0]["configuration"].as_array().unwrap();
    for pair in [
        ["store", "memory, then a store for tests"],
        ["limit of memory", "500 entries"],
        ["limit of pages", "67108864 bytes"],
        ["default timeout", "300s"],
        ["event keys", "hashed"],
        ["namespace", "shop"],
        ["format", "json"],
        ["compression", "from 2048 bytes on"],
        ["sealing", "on"],
        ["store timeout", "250ms"],
        ["store budget of a call", "500ms"],
        ["memory copies", "2s"],
        ["lease", "10s"],
    ] {
        assert!(shown.contains(&json!(pair)), "{pair:?} in {shown:?}");
    }
    let told = next(&mut opened(&app).await).await;
    let other = get(&app, "/admin/cache/metrics").await;
    for text in [all.to_string(), told, other] {
        assert!(!text.contains("7e7e"), "{text}");
    }
    // Without a shared store there is none of that.
    let plain = mounted(Dashboard::new().cache(&TestCache::new()));
    let shown = &figures(&plain).await["caches"][0]["configuration"];
    assert_eq!(
        (&shown[0], shown.as_array().unwrap().len()),
        (&json!(["store", "memory"]), 6)
    );
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn the_credentials_of_a_store_are_nowhere() {
    let store = dewar::store::Redis::open("redis://ada:hunter2@127.0.0.1:1/3").unwrap();
    let cache = Cache::builder().shared(store).build().unwrap();
    let app = mounted(Dashboard::new().cache(&cache).allow_invalidation());
    // It does not answer, and that is told.
    cache.scope(async { price(1) }).await.unwrap();
    let told = next(&mut opened(&app).await).await;
    assert!(told.contains("127.0.0.1:1/3"), "{told}");
    for text in [
        told,
        figures(&app).await.to_string(),
        get(&app, "/admin/cache/metrics").await,
        get(&app, "/admin/cache").await,
    ] {
        assert!(!text.contains("hunter2") && !text.contains("ada"), "{text}");
    }
}

#[cfg(feature = "stores")]
#[tokio::test]
async fn the_shared_store_is_shown_with_what_its_server_holds() {
    use dewar::testing::FaultyStore;

    let store = FaultyStore::new();
    let cache = TestCache::with(Cache::builder().shared(store.clone())).unwrap();
    let app = mounted(Dashboard::new().cache(&cache));
    cache.scope(async { price(1) }).await.unwrap();
    let all = figures(&app).await;
    let schema = include_str!("../examples/observability/stats.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    schema.validate(&all).unwrap();
    let shown = &all["caches"][0]["store"];
    assert_eq!(
        (&shown["up"], &shown["undelivered"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(shown["memory"]["keys"], store.keys().len());
    assert_eq!(shown["memory"]["fragmentation"], 1.0);
    let metrics = get(&app, "/admin/cache/metrics").await;
    for line in [
        "dewar_store_up{cache=\"default\"} 1",
        "dewar_store_memory_fragmentation_ratio{cache=\"default\"} 1",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert!(
        !metrics.contains("dewar_store_memory_limit_bytes{"),
        "it has no bound"
    );

    // One that fails is shown as it is, and nothing waits for it.
    store.fail(true);
    cache.advance(std::time::Duration::from_secs(6));
    assert_eq!(
        figures(&app).await["caches"][0]["store"]["memory"],
        json!(null)
    );
    assert_eq!(cache.stats().store_errors, 0);
}
