//! Cached views: the options.

#[path = "common/site.rs"]
mod site;

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use dewar::{cached, invalidate};
use reqwest::Method;
use serde::Deserialize;

use site::{Runs, Site, serve};

#[derive(Deserialize)]
struct Params {
    #[serde(default)]
    refresh: u8,
    cache: Option<bool>,
    #[serde(default)]
    page: u8,
}

async fn bodies<const N: usize>(site: &Site, paths: [&str; N]) -> [String; N] {
    let mut bodies = [const { String::new() }; N];
    for (body, path) in bodies.iter_mut().zip(paths) {
        *body = site.get(path).await.body;
    }
    bodies
}

#[tokio::test]
async fn a_query_refreshes_and_another_bypasses() {
    static RUNS: Runs = Runs::new();

    #[cached(
        view,
        timeout = 60,
        query(sorted, ignore("refresh", "cache", "utm_*")),
        unless = params.cache == Some(false),
        refresh_if = params.refresh == 1
    )]
    async fn products(Query(params): Query<Params>) -> String {
        format!("page {} run {}", params.page, RUNS.next())
    }

    let site = serve(Router::new().route("/", get(products))).await;
    let said = bodies(
        &site,
        [
            "/?page=1",
            "/?page=1&cache=false",
            "/?page=1",
            "/?refresh=1&page=1",
            "/?page=1",
            "/?utm_source=x&page=1&cache=true",
            "/?page=2",
        ],
    )
    .await;
    let expected = [
        "page 1 run 1",
        "page 1 run 2",
        "page 1 run 1",
        "page 1 run 3",
        "page 1 run 3",
        "page 1 run 3",
        "page 2 run 4",
    ];
    assert_eq!(said, expected);
    let refreshed = site.get("/?page=1&refresh=1").await;
    assert_eq!(
        refreshed.header("cache-status"),
        "dewar; fwd=request; fwd-status=200; ttl=60; stored"
    );
    let bypassed = site.get("/?page=1&cache=false").await;
    assert!(
        bypassed
            .header("cache-status")
            .starts_with("dewar; fwd=bypass")
    );
}

#[tokio::test]
async fn a_refresh_that_finds_no_page_any_more_takes_it_out() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, query(ignore("refresh", "page")), refresh_if = params.refresh == 1)]
    async fn page(Query(params): Query<Params>) -> Result<String, StatusCode> {
        match RUNS.next() {
            1 => Ok(format!("page {}", params.page)),
            _ => Err(StatusCode::NOT_FOUND),
        }
    }

    let site = serve(Router::new().route("/", get(page))).await;
    site.get("/").await;
    assert!(site.get("/").await.is_hit());
    assert_eq!(site.get("/?refresh=1").await.status, 404);
    assert_eq!(site.get("/").await.status, 404);
}

#[tokio::test]
async fn a_query_counts_as_far_as_is_said() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, query(only("page", "f_*")))]
    async fn only() -> String {
        RUNS.next().to_string()
    }

    #[cached(view, timeout = 60, query(sorted))]
    async fn sorted() -> String {
        RUNS.next().to_string()
    }

    let app = Router::new()
        .route("/only", get(only))
        .route("/sorted", get(sorted));
    let site = serve(app).await;
    let said = bodies(
        &site,
        [
            "/only?page=1",
            "/only?x=1&page=1",
            "/only?page=1&f_a=1",
            "/only?page=1&f_a=1&y",
            "/sorted?a=1&b=2",
            "/sorted?b=2&a=1",
            "/sorted?a=2&a=1",
            "/sorted?a=1&a=2",
        ],
    )
    .await;
    assert_eq!(said, ["1", "1", "2", "2", "3", "3", "4", "5"]);
}

/// Runs of the handlers below, each in one test.
#[cached(
    view,
    timeout = 60,
    key_prefix = "product:{id}",
    tags("products", "kind:{kind}")
)]
async fn product(
    Path((kind, id)): Path<(String, u64)>,
    State(runs): State<&'static Runs>,
) -> String {
    format!("{kind} {id} run {}", runs.next())
}

async fn shop(runs: &'static Runs) -> Site {
    let app = Router::new()
        .route("/{kind}/{id}", get(product))
        .with_state(runs);
    serve(app).await
}

#[tokio::test]
async fn everything_of_a_handler_is_invalidated_by_its_name() {
    static RUNS: Runs = Runs::new();
    let site = shop(&RUNS).await;
    bodies(&site, ["/tea/1", "/tea/2"]).await;
    site.cache
        .run_async(async { invalidate!(product).await })
        .await
        .unwrap();
    assert_eq!(
        bodies(&site, ["/tea/1", "/tea/1"]).await,
        ["tea 1 run 3"; 2]
    );
    assert_eq!(site.get("/tea/2").await.body, "tea 2 run 4");
}

#[tokio::test]
async fn a_prefix_a_tag_and_a_url_are_invalidated() {
    static RUNS: Runs = Runs::new();
    let site = shop(&RUNS).await;
    bodies(&site, ["/tea/1", "/tea/10", "/cup/1"]).await;
    let id = 1;
    site.cache
        .run_async(async { invalidate!(prefix = "product:{id}").await })
        .await
        .unwrap();
    let after = bodies(&site, ["/tea/1", "/tea/10", "/cup/1"]).await;
    assert_eq!(after, ["tea 1 run 4", "tea 10 run 2", "cup 1 run 5"]);
    let kind = "tea";
    site.cache
        .run_async(async { invalidate!(tag = "kind:{kind}").await })
        .await
        .unwrap();
    let after = bodies(&site, ["/tea/1", "/tea/10", "/cup/1"]).await;
    assert_eq!(after, ["tea 1 run 6", "tea 10 run 7", "cup 1 run 5"]);
    site.cache.invalidation().url("/tea/1").run().await.unwrap();
    let after = bodies(&site, ["/tea/1", "/tea/10", "/cup/1"]).await;
    assert_eq!(after, ["tea 1 run 8", "tea 10 run 7", "cup 1 run 5"]);
}

#[tokio::test]
async fn a_url_is_invalidated_whatever_the_order_of_its_query() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60)]
    async fn search() -> String {
        RUNS.next().to_string()
    }

    let nested = Router::new().route("/search", get(search));
    let site = serve(Router::new().nest("/shop", nested)).await;
    let paths = [
        "/shop/search?a=1&b=2",
        "/shop/search?b=2&a=1",
        "/shop/search?a=1",
    ];
    assert_eq!(bodies(&site, paths).await, ["1", "2", "3"]);
    site.cache
        .invalidation()
        .url("/shop/search?b=2&a=1")
        .run()
        .await
        .unwrap();
    assert_eq!(bodies(&site, paths).await, ["4", "5", "3"]);
    let (a, b) = (1, 2);
    site.cache
        .run_async(async move { invalidate!(url = "/shop/search?b={b}&a={a}").await })
        .await
        .unwrap();
    assert_eq!(bodies(&site, paths).await, ["6", "7", "3"]);
    site.cache
        .invalidation()
        .path("/shop/search")
        .run()
        .await
        .unwrap();
    assert_eq!(bodies(&site, paths).await, ["8", "9", "10"]);
}

#[tokio::test]
async fn a_url_is_found_by_what_counts_of_its_query() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, query(ignore("utm_*"), sorted))]
    async fn page() -> String {
        RUNS.next().to_string()
    }

    let page = get(page).post(page);
    let site = serve(Router::new().route("/{*path}", page)).await;
    let mut run = 0;
    for (asked, named) in [
        ("/p?utm_source=1", "/p"),
        ("/p?utm_source=1&b=2&a=1", "/p?a=1&b=2"),
        ("/p?utm_source=1", "/p?utm_source=1"),
        ("/p/%7Eann", "/p/~ann"),
        ("/p/~bob", "/p/%7ebob"),
        ("/p/caf%c3%a9", "/p/caf%C3%A9"),
        ("/p?q=a+b", "/p?q=a%20b"),
    ] {
        run += 1;
        assert_eq!(site.get(asked).await.body, run.to_string(), "{asked}");
        let invalidation = site.cache.invalidation().url(named);
        invalidation.run().await.unwrap();
        run += 1;
        assert_eq!(site.get(asked).await.body, run.to_string(), "{named}");
        site.cache.clear();
    }
    // What a POST is for counts in the same way.
    site.get("/p?utm_source=1").await;
    site.ask(Method::POST, "/p?utm_source=2", &[]).await;
    assert!(!site.get("/p?utm_source=1").await.is_hit());
}

#[tokio::test]
async fn a_url_with_a_host_is_invalidated_there_alone() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60)]
    async fn page() -> String {
        RUNS.next().to_string()
    }

    let site = serve(Router::new().route("/", get(page))).await;
    let (one, other) = ([("host", "a.test")], [("host", "b.test")]);
    for host in [&one, &other] {
        site.get_with("/", host).await;
    }
    let invalidation = site.cache.invalidation().url("http://A.test/");
    invalidation.run().await.unwrap();
    assert!(site.get_with("/", &other).await.is_hit());
    assert!(!site.get_with("/", &one).await.is_hit());
}

#[tokio::test]
async fn a_soft_invalidation_may_be_served_stale() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, stale_while_revalidate = "1m", tags("pages"))]
    async fn page() -> String {
        RUNS.next().to_string()
    }

    let site = serve(Router::new().route("/", get(page))).await;
    site.get("/").await;
    site.cache
        .run_async(async { invalidate!(soft, tag = "pages").await })
        .await
        .unwrap();
    assert_eq!(site.get("/").await.body, "1");
    for _ in 0..1_000 {
        if site.get("/").await.body == "2" {
            return;
        }
    }
    panic!("it is not loaded afresh");
}

#[tokio::test]
async fn other_statuses_can_be_stored() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, statuses(200, 404))]
    async fn page(Path(status): Path<u16>) -> (StatusCode, String) {
        (
            StatusCode::from_u16(status).unwrap(),
            RUNS.next().to_string(),
        )
    }

    let site = serve(Router::new().route("/{status}", get(page))).await;
    let said = bodies(
        &site,
        [
            "/200", "/200", "/404", "/404", "/410", "/410", "/203", "/203",
        ],
    )
    .await;
    assert_eq!(said, ["1", "1", "2", "2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn the_timeout_can_depend_on_the_arguments() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = Duration::from_secs(seconds))]
    async fn page(Path(seconds): Path<u64>) -> String {
        RUNS.next().to_string()
    }

    #[cached(view, timeout = never)]
    async fn lasting() -> String {
        RUNS.next().to_string()
    }

    #[cached(view)]
    async fn usual() -> String {
        RUNS.next().to_string()
    }

    let app = Router::new()
        .route("/for/{seconds}", get(page))
        .route("/never", get(lasting))
        .route("/usual", get(usual));
    let site = serve(app).await;
    let paths = ["/for/10", "/for/400", "/never", "/usual"];
    assert_eq!(bodies(&site, paths).await, ["1", "2", "3", "4"]);
    site.advance(10);
    assert_eq!(bodies(&site, paths).await, ["5", "2", "3", "4"]);
    // 300 s are the default of a cache.
    site.advance(290);
    assert_eq!(bodies(&site, paths).await, ["6", "2", "3", "7"]);
    site.advance(100_000_000);
    assert_eq!(site.get("/never").await.body, "3");
}

#[tokio::test]
async fn without_single_flight_each_runs_for_itself() {
    static RUNS: Runs = Runs::new();
    static BOTH: std::sync::LazyLock<tokio::sync::Barrier> =
        std::sync::LazyLock::new(|| tokio::sync::Barrier::new(2));

    #[cached(view, timeout = 60, single_flight = false)]
    async fn page() -> String {
        BOTH.wait().await;
        RUNS.next().to_string()
    }

    let site = serve(Router::new().route("/", get(page))).await;
    tokio::join!(site.get("/"), site.get("/"));
    assert_eq!(RUNS.count(), 2);
}

#[tokio::test]
async fn a_named_cache_that_is_not_there_stops_no_page() {
    #[cached(view, timeout = 60, cache = "not registered anywhere")]
    async fn page() -> &'static str {
        "page"
    }

    let site = serve(Router::new().route("/", get(page))).await;
    assert_eq!(bodies(&site, ["/", "/"]).await, ["page"; 2]);
}

#[tokio::test]
async fn options_see_what_patterns_bind_as_values() {
    struct Wanted {
        id: u64,
    }

    fn is_wanted(wanted: &Wanted) -> bool {
        wanted.id == 1
    }

    #[cached(
        view,
        timeout = 60,
        unless = is_wanted(&Wanted { id }) || matches!(kind.as_str(), "raw") || id + 1 == 9,
        key_prefix = "thing:{kind}:{id}"
    )]
    async fn thing(Path((mut kind, id)): Path<(String, u64)>) -> String {
        kind.push('!');
        format!("{kind} {id}")
    }

    let site = serve(Router::new().route("/{kind}/{id}", get(thing))).await;
    for (path, cached) in [
        ("/tea/1", false),
        ("/raw/2", false),
        ("/tea/8", false),
        ("/tea/2", true),
    ] {
        site.get(path).await;
        let again = site.get(path).await;
        assert_eq!(again.is_hit(), cached, "{path}");
        assert!(again.body.contains('!'));
    }
    site.cache
        .invalidation()
        .prefix("thing:tea:2")
        .run()
        .await
        .unwrap();
    assert!(!site.get("/tea/2").await.is_hit());
}
