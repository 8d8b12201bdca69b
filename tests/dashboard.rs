//! What the dashboard's routes answer, and to whom.
#![cfg(feature = "dashboard")]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use dewar::dashboard::Dashboard;
use dewar::testing::TestCache;
use dewar::{Cache, cached};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

#[cached(timeout = 60, key_prefix = "price:{id}", tags("prices"))]
fn price(id: u64) -> Result<u64, String> {
    match id {
        13 => Err("no such price".into()),
        id => Ok(id * 100),
    }
}

fn mounted(dashboard: Dashboard) -> Router {
    Router::new().nest("/admin/cache", dashboard.router())
}

async fn ask(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

async fn get(app: &Router, path: &str) -> String {
    let response = ask(app, Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    text(response).await
}

/// A page that is open: the stream of its figures.
async fn opened(app: &Router) -> Body {
    let request = Request::get("/admin/cache/events");
    let response = ask(app, request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body()
}

async fn next(page: &mut Body) -> String {
    let frame = page.frame().await.unwrap().unwrap();
    String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
}

async fn figures(app: &Router) -> Value {
    serde_json::from_str(&get(app, "/admin/cache/stats.json").await).unwrap()
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

fn order(token: &str, from: &[(&str, &str)], body: Value) -> Request<Body> {
    let request = Request::post("/admin/cache/invalidate")
        .header("host", "shop.example")
        .header("content-type", "application/json")
        .header("x-dewar-token", token);
    let request = from.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.body(Body::from(body.to_string())).unwrap()
}

async fn token(app: &Router) -> String {
    let page = get(app, "/admin/cache").await;
    let (_, rest) = page.split_once("data-token=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Headers that say where a request is from.
type From<'a> = &'a [(&'a str, &'a str)];

const OURS: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];

#[tokio::test]
async fn what_is_invalidated_is_gone_at_the_next_read() {
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache).allow_invalidation());
    let token = token(&app).await;
    let loads = || {
        cache.run(|| (price(1), price(2))).0.unwrap();
        cache.stats().loads
    };
    assert_eq!((loads(), loads()), (2, 2));
    let orders = [
        (
            json!({ "cache": "default", "what": "prefix", "name": "price:1" }),
            3,
        ),
        (
            json!({ "cache": "default", "what": "tag", "name": "prices" }),
            5,
        ),
        (
            json!({ "cache": "default", "what": "function", "name": "dashboard::price" }),
            7,
        ),
        (json!({ "cache": "default", "what": "all" }), 9),
    ];
    for (body, expected) in orders {
        let response = ask(&app, order(&token, &OURS, body.clone())).await;
        assert_eq!(response.status(), StatusCode::OK, "{body}");
        assert_eq!(loads(), expected, "{body}");
    }
}

#[tokio::test]
async fn only_the_page_itself_may_invalidate() {
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache).allow_invalidation());
    let token = token(&app).await;
    cache.run(|| price(1)).unwrap();
    let all = || json!({ "cache": "default", "what": "all" });
    let refused: [(&str, &str, From<'_>); 7] = [
        ("no token", "", &OURS),
        ("a wrong one", "0123456789abcdef0123456789abcdef", &OURS),
        ("another site", &token, &[("sec-fetch-site", "cross-site")]),
        ("a sibling", &token, &[("sec-fetch-site", "same-site")]),
        (
            "another origin",
            &token,
            &[("origin", "https://evil.example")],
        ),
        ("an origin of no name", &token, &[("origin", "null")]),
        ("nobody in particular", &token, &[]),
    ];
    for (what, token, from) in refused {
        let response = ask(&app, order(token, from, all())).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{what}");
    }
    assert_eq!(cache.stats().invalidations, 0);
    let older = [("origin", "https://shop.example")];
    assert_eq!(
        ask(&app, order(&token, &older, all())).await.status(),
        StatusCode::OK
    );
    assert_eq!(cache.stats().invalidations, 1);
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused_in_words() {
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache).allow_invalidation());
    let token = token(&app).await;
    let refused = [
        (
            json!({ "cache": "default", "what": "prefix", "name": " " }),
            400,
            "say which",
        ),
        (
            json!({ "cache": "default", "what": "world" }),
            400,
            "unknown variant",
        ),
        (
            json!({ "cache": "other", "what": "all" }),
            404,
            "no such cache",
        ),
        (
            json!({ "cache": "default", "what": "function", "name": "nobody::knows" }),
            404,
            "no function",
        ),
        (
            json!({ "cache": "default", "what": "tag", "name": "x".repeat(9_000) }),
            413,
            "too long",
        ),
        (
            json!({ "cache": "default", "what": "prefix", "name": ":" }),
            502,
            "names no level",
        ),
        (json!(7), 400, ""),
    ];
    for (body, status, words) in refused {
        let response = ask(&app, order(&token, &OURS, body.clone())).await;
        assert_eq!(response.status(), status, "{body}");
        let said = text(response).await;
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn without_the_switch_there_is_no_route_and_no_token() {
    let app = mounted(Dashboard::new());
    assert_eq!(token(&app).await, "");
    let body = json!({ "cache": "default", "what": "all" });
    let status = ask(&app, order("", &OURS, body)).await.status();
    assert_eq!(status, StatusCode::NOT_FOUND);
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
    let named = "cache-1;desc=\"miss (absent) dashboard::price price:1:";
    assert!(timing.contains(named), "{timing}");
    let (_, first_call) = timing.split_once(named).unwrap();
    assert!(first_call.contains("\";dur=0."), "{timing}");
    assert!(
        timing.contains("cache-2;desc=\"hit dashboard::price price:1:"),
        "{timing}"
    );
    assert_eq!(text(first).await, "7");
    let second = ask(&app, request()).await;
    let timing = second.headers()["server-timing"].to_str().unwrap();
    assert!(timing.contains("3 hits, 0 stale, 0 misses"), "{timing}");
    assert!(
        timing.contains("desc=\"2 x hit dashboard::price price:1:"),
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
