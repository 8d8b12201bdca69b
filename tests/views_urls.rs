//! Cached views: each URL has a page of its own.

#[path = "common/site.rs"]
mod site;

use axum::Router;
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::routing::{any, get};
use dewar::cached;
use dewar::http::{CacheLayer, ScopeLayer, ViewPolicy};
use dewar::testing::TestCache;
use reqwest::Method;

use site::{Runs, serve, twice};

#[tokio::test]
async fn hosts_are_told_apart_unless_said_otherwise() {
    #[cached(view, timeout = 60, skip(headers))]
    async fn each(headers: HeaderMap) -> String {
        format!("{:?}", headers.get("host"))
    }

    #[cached(view, timeout = 60, host = false)]
    async fn all() -> &'static str {
        "all"
    }

    let app = Router::new()
        .route("/each", get(each))
        .route("/all", get(all));
    let site = serve(app).await;
    for host in ["one.example", "two.example"] {
        let (first, second) = twice(&site, "/each", &[("host", host)]).await;
        assert!(first.body.contains(host));
        assert_eq!((second.is_hit(), &second.body), (true, &first.body));
    }
    site.get_with("/all", &[("host", "one.example")]).await;
    assert!(
        site.get_with("/all", &[("host", "two.example")])
            .await
            .is_hit()
    );
}

#[tokio::test]
async fn what_all_hosts_share_is_invalidated_through_any_of_them() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, host = false)]
    async fn page() -> String {
        format!("run {}", RUNS.next())
    }

    // A layer that tells hosts apart sees what a POST changes, too.
    let changed = || async { "changed" };
    let outer = CacheLayer::new(ViewPolicy::new());
    let app = Router::new()
        .route("/", any(page))
        .route("/beside", get(page).post(changed))
        .layer(outer);
    let site = serve(app).await;
    let at = |host: &'static str| [("host", host)];
    for path in ["/", "/beside"] {
        let before = site.get_with(path, &at("one.example")).await.body;
        assert_eq!(
            site.get_with(path, &at("two.example")).await.body,
            before,
            "{path}"
        );
        let host = at("two.example");
        assert_eq!(site.ask(Method::POST, path, &host).await.status, 200);
        for host in ["two.example", "one.example", "three.example"] {
            let after = site.get_with(path, &at(host)).await.body;
            assert_ne!(after, before, "{path} {host}");
        }
        let before = site.get_with(path, &at("one.example")).await.body;
        let url = format!("http://two.example{path}");
        site.cache.invalidation().url(&url).run().await.unwrap();
        let after = site.get_with(path, &at("one.example")).await.body;
        assert_ne!(after, before, "{url}");
    }
}

#[tokio::test]
async fn nested_routers_with_equal_tails_are_told_apart() {
    #[cached(view, timeout = 60)]
    async fn list(
        uri: axum::http::Uri,
        axum::extract::OriginalUri(whole): axum::extract::OriginalUri,
    ) -> String {
        format!("{uri} of {whole}")
    }

    let tail = || Router::new().route("/list", get(list));
    let site = serve(Router::new().nest("/a", tail()).nest("/b", tail())).await;
    for (path, body) in [
        ("/a/list", "/list of /a/list"),
        ("/b/list", "/list of /b/list"),
    ] {
        let (first, second) = twice(&site, path, &[]).await;
        assert_eq!((&*first.body, &*second.body), (body, body));
        assert!(second.is_hit());
    }
}

#[tokio::test]
async fn a_path_that_middleware_wrote_is_in_the_key() {
    #[cached(view, timeout = 60)]
    async fn tenant(Path(name): Path<String>) -> String {
        name
    }

    let inner = Router::new().route("/{name}", get(tenant));
    // Behind the outer router, so that the URL that the client sent is the same for all.
    let rewriting = from_fn(async |mut request: Request, next: Next| {
        let name = request.headers()["x-tenant"].to_str().unwrap().to_owned();
        *request.uri_mut() = format!("/{name}").parse().unwrap();
        next.run(request).await
    });
    let inner = Router::new().fallback_service(inner).layer(rewriting);
    let site = serve(Router::new().fallback_service(inner)).await;
    for name in ["ada", "bob"] {
        let (first, second) = twice(&site, "/home", &[("x-tenant", name)]).await;
        assert_eq!((&*first.body, &*second.body), (name, name));
    }
}

#[tokio::test]
async fn a_host_that_middleware_wrote_into_the_url_is_in_the_key() {
    #[cached(view, timeout = 60)]
    async fn tenant(uri: Uri) -> String {
        uri.to_string()
    }

    let rewriting = from_fn(async |mut request: Request, next: Next| {
        let name = request.headers()["x-tenant"].to_str().unwrap().to_owned();
        *request.uri_mut() = format!("http://{name}/home").parse().unwrap();
        next.run(request).await
    });
    let site = serve(Router::new().route("/home", get(tenant).layer(rewriting))).await;
    for name in ["ada", "bob"] {
        let (first, second) = twice(&site, "/home", &[("x-tenant", name)]).await;
        let expected = format!("http://{name}/home");
        assert_eq!((first.body, second.body), (expected.clone(), expected));
    }
}

#[tokio::test]
async fn two_applications_with_a_cache_each_share_nothing() {
    #[cached(view, timeout = 60)]
    async fn name(State(name): State<&'static str>) -> &'static str {
        name
    }

    let app = |name| {
        Router::new()
            .route("/", get(name_of(name)))
            .with_state(name)
    };
    fn name_of(_: &'static str) -> axum::routing::MethodRouter<&'static str> {
        get(name)
    }
    let one = app_with(app("one"));
    let two = app_with(app("two"));
    fn app_with(app: Router) -> (Router, TestCache) {
        let cache = TestCache::new();
        (app.layer(ScopeLayer::new(&cache)), cache)
    }
    let host = [("host", "shop.example")];
    let client = reqwest::Client::new();
    for (app, name, _cache) in [(one.0, "one", &one.1), (two.0, "two", &two.1)] {
        let address = site::listen(app).await;
        for _ in 0..2 {
            let url = format!("http://{address}/");
            let asked = client
                .get(url)
                .header(host[0].0, host[0].1)
                .send()
                .await
                .unwrap();
            assert_eq!(asked.text().await.unwrap(), name);
        }
    }
    assert_eq!((one.1.stats().hits, two.1.stats().hits), (1, 1));
}

#[tokio::test]
async fn queries_count_as_they_are_written() {
    #[cached(view, timeout = 60)]
    async fn echo(Query(query): Query<Vec<(String, String)>>) -> String {
        format!("{query:?}")
    }

    let site = serve(Router::new().route("/", get(echo))).await;
    let mut seen = Vec::new();
    for query in [
        "", "?", "?a", "?a=", "?a=1", "?a=1&a=2", "?a=2&a=1", "?a=1&b=2", "?b=2&a=1", "?a=%31",
    ] {
        let (first, second) = twice(&site, &format!("/{query}"), &[]).await;
        assert!(!first.is_hit(), "{query} is another's");
        assert_eq!(
            (second.is_hit(), &second.body),
            (true, &first.body),
            "{query}"
        );
        seen.push(first.body);
    }
    assert_eq!(seen[5], r#"[("a", "1"), ("a", "2")]"#);
}

#[tokio::test]
async fn a_post_is_answered_by_its_own_handler_and_invalidates() {
    static STOCK: Runs = Runs::new();

    #[cached(view, timeout = 60)]
    async fn stock(Path(id): Path<u8>) -> String {
        format!("{id}: {}", STOCK.count())
    }

    #[cached(view, timeout = 60)]
    async fn both(method: Method2) -> String {
        format!("{}", method.0)
    }

    struct Method2(axum::http::Method);
    impl dewar::axum::FromUrl for Method2 {}
    impl<S: Send + Sync> FromRequestParts<S> for Method2 {
        type Rejection = std::convert::Infallible;

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
            Ok(Method2(parts.method.clone()))
        }
    }

    async fn buy(Path(_id): Path<u8>) -> StatusCode {
        STOCK.next();
        StatusCode::NO_CONTENT
    }

    let app = Router::new()
        .route("/stock/{id}", get(stock).post(buy))
        .route("/both", get(both).post(both).delete(both));
    let site = serve(app).await;
    for method in [
        Method::GET,
        Method::POST,
        Method::DELETE,
        Method::GET,
        Method::POST,
    ] {
        let got = site.ask(method.clone(), "/both", &[]).await;
        assert_eq!(got.body, method.as_str());
        assert!(!got.is_hit(), "what changes things reaches the handler");
    }
    site.get("/both").await;
    assert!(site.get("/both").await.is_hit());
    // `buy` is no view: it says itself what it invalidates.
    assert_eq!(site.get("/stock/1").await.body, "1: 0");
    site.ask(Method::POST, "/stock/1", &[]).await;
    assert_eq!(site.get("/stock/1").await.body, "1: 0");
}

#[tokio::test]
async fn nothing_in_a_request_reaches_into_another_key() {
    #[cached(view, timeout = 60, key_prefix = "page:{name}")]
    async fn page(Path(name): Path<String>) -> String {
        name
    }

    let site = serve(Router::new().route("/{name}", get(page))).await;
    for path in [
        "/a",
        "/a%3Ab",
        "/a%2Fb",
        "/a%0D%0Ab",
        "/a%00",
        "/a:b",
        "/A",
        "/%61",
        "/a%20",
        "/ä",
    ] {
        let (first, second) = twice(&site, path, &[]).await;
        assert!(!first.is_hit(), "{path} is another's");
        assert_eq!(
            (second.is_hit(), &second.body),
            (true, &first.body),
            "{path}"
        );
    }
    let long = format!("/{}", "a".repeat(9000));
    let (first, second) = twice(&site, &long, &[]).await;
    assert_eq!((first.status, second.is_hit()), (200, false));
    dewar::Cache::invalidation(&site.cache)
        .prefix("page:a")
        .run()
        .await
        .unwrap();
    assert!(!site.get("/a").await.is_hit());
    assert!(site.get("/a:b").await.is_hit(), "`a:b` is one level");
}
