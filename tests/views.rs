//! Cached views: what a handler may look like.

#[path = "common/site.rs"]
mod site;

use axum::extract::{FromRef, MatchedPath, OriginalUri, Path, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, debug_handler};
use dewar::cached;
use serde::Deserialize;

use site::{Runs, serve};

#[tokio::test]
async fn a_handler_runs_once() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60)]
    async fn product(Path(id): Path<u64>) -> Html<String> {
        Html(format!("product {id}, run {}", RUNS.next()))
    }

    let site = serve(Router::new().route("/products/{id}", get(product))).await;
    let first = site.get("/products/1").await;
    assert_eq!(first.body, "product 1, run 1");
    assert_eq!(
        first.header("cache-status"),
        "dewar; fwd=uri-miss; fwd-status=200; ttl=60; stored"
    );
    assert!(first.header("content-type").starts_with("text/html"));
    site.advance(5);
    let second = site.get("/products/1").await;
    assert_eq!(second.body, "product 1, run 1");
    assert_eq!(second.header("cache-status"), "dewar; hit; ttl=55");
    assert_eq!(second.header("age"), "5");
    assert_eq!(site.get("/products/2").await.body, "product 2, run 2");
    site.advance(55);
    assert_eq!(site.get("/products/1").await.body, "product 1, run 3");
}

#[tokio::test]
async fn every_kind_of_response_is_stored_whole() {
    #[cached(view)]
    async fn plain() -> &'static str {
        "plain"
    }

    #[cached(view)]
    async fn json() -> Json<Vec<u8>> {
        Json(vec![1, 2])
    }

    #[cached(view)]
    async fn tuple() -> (StatusCode, [(&'static str, &'static str); 1], String) {
        (
            StatusCode::NON_AUTHORITATIVE_INFORMATION,
            [("x-a", "b")],
            "tuple".into(),
        )
    }

    #[cached(view)]
    async fn opaque() -> impl IntoResponse {
        Html("opaque")
    }

    #[cached(view)]
    async fn response() -> Response {
        ([("x-a", "c")], "response").into_response()
    }

    #[cached(view)]
    async fn result(Path(id): Path<u8>) -> Result<String, StatusCode> {
        if id == 0 {
            return Err(StatusCode::NOT_FOUND);
        }
        Ok(format!("result {id}"))
    }

    let app = Router::new()
        .route("/plain", get(plain))
        .route("/json", get(json))
        .route("/tuple", get(tuple))
        .route("/opaque", get(opaque))
        .route("/response", get(response))
        .route("/result/{id}", get(result));
    let site = serve(app).await;
    for (path, body) in [
        ("/plain", "plain"),
        ("/json", "[1,2]"),
        ("/tuple", "tuple"),
        ("/opaque", "opaque"),
        ("/response", "response"),
        ("/result/7", "result 7"),
    ] {
        let first = site.get(path).await;
        let second = site.get(path).await;
        assert!(!first.is_hit() && second.is_hit(), "{path}: {second:?}");
        assert_eq!((&*first.body, &*second.body), (body, body));
        assert_eq!(first.status, second.status);
        for name in ["content-type", "x-a", "content-length"] {
            assert_eq!(first.header(name), second.header(name), "{path} {name}");
        }
    }
    assert_eq!(site.get("/result/0").await.status, 404);
    assert!(
        !site.get("/result/0").await.is_hit(),
        "an error is not stored"
    );
}

#[tokio::test]
async fn any_extractor_of_the_url_will_do() {
    #[derive(Deserialize)]
    struct Filter {
        page: Option<u32>,
    }

    type Pages = Query<Filter>;

    #[cached(view, timeout = 60)]
    async fn search(
        matched: MatchedPath,
        OriginalUri(original): OriginalUri,
        uri: Uri,
        Query(filter): Pages,
    ) -> String {
        let page = filter.page.unwrap_or(1);
        format!("{} {original} {uri} {page}", matched.as_str())
    }

    let nested = Router::new().route("/{shop}", get(search));
    let site = serve(Router::new().nest("/shops", nested)).await;
    let first = site.get("/shops/a?page=2").await;
    assert_eq!(first.body, "/shops/{shop} /shops/a?page=2 /a?page=2 2");
    assert!(site.get("/shops/a?page=2").await.is_hit());
    assert!(!site.get("/shops/a").await.is_hit());
    assert!(!site.get("/shops/b?page=2").await.is_hit());
}

#[derive(Clone)]
struct App {
    name: Name,
}

#[derive(Clone)]
struct Name(&'static str);

impl FromRef<App> for Name {
    fn from_ref(app: &App) -> Name {
        app.name.clone()
    }
}

#[tokio::test]
async fn the_state_is_no_part_of_the_key() {
    #[cached(view, timeout = 60)]
    async fn whole(State(app): State<App>) -> String {
        app.name.0.to_owned()
    }

    #[cached(view, timeout = 60)]
    async fn part(State(name): State<Name>, Path(id): Path<u8>) -> String {
        format!("{} {id}", name.0)
    }

    let app = Router::new()
        .route("/whole", get(whole))
        .route("/part/{id}", get(part))
        .with_state(App { name: Name("shop") });
    let site = serve(app).await;
    for (path, body) in [("/whole", "shop"), ("/part/1", "shop 1")] {
        assert_eq!(site.get(path).await.body, body);
        assert!(site.get(path).await.is_hit());
    }
}

#[tokio::test]
async fn debug_handler_stands_before_or_after() {
    #[cached(view, timeout = 60)]
    #[debug_handler]
    async fn after(Path(id): Path<u8>) -> String {
        format!("after {id}")
    }

    #[debug_handler]
    #[cached(view, timeout = 60)]
    async fn before(Path(id): Path<u8>) -> String {
        format!("before {id}")
    }

    #[cached(view, timeout = 60)]
    #[debug_handler]
    async fn with_state(State(app): State<App>) -> &'static str {
        app.name.0
    }

    #[cached(view, timeout = 60)]
    #[axum::debug_handler]
    async fn without_arguments() -> &'static str {
        "nothing"
    }

    let app = Router::new()
        .route("/after/{id}", get(after))
        .route("/before/{id}", get(before))
        .route("/state", get(with_state))
        .route("/nothing", get(without_arguments))
        .with_state(App { name: Name("shop") });
    let site = serve(app).await;
    for (path, body) in [
        ("/after/1", "after 1"),
        ("/before/1", "before 1"),
        ("/state", "shop"),
        ("/nothing", "nothing"),
    ] {
        assert_eq!(site.get(path).await.body, body);
        assert!(site.get(path).await.is_hit());
    }
}

trait Words: Clone + Send + Sync + 'static {
    fn word(&self) -> &'static str;
}

#[derive(Clone)]
struct French;
#[derive(Clone)]
struct German;

impl Words for French {
    fn word(&self) -> &'static str {
        "bonjour"
    }
}

impl Words for German {
    fn word(&self) -> &'static str {
        "guten Tag"
    }
}

#[tokio::test]
async fn a_generic_handler_keeps_its_instances_apart() {
    #[cached(view, timeout = 60)]
    async fn greet<W: Words>(State(words): State<W>) -> &'static str {
        words.word()
    }

    // The same URL for both: only the type tells them apart.
    let french = Router::new()
        .route("/", get(greet::<French>))
        .with_state(French);
    let german = Router::new()
        .route("/", get(greet::<German>))
        .with_state(German);
    let site = serve(french).await;
    assert_eq!(site.get("/").await.body, "bonjour");
    let layered = german.layer(dewar::http::ScopeLayer::new(&site.cache));
    let other = site::listen(layered).await;
    let host = [("host", &*site.address)];
    let url = format!("http://{other}/");
    let asked = reqwest::Client::new().get(url).header(host[0].0, host[0].1);
    assert_eq!(
        asked.send().await.unwrap().text().await.unwrap(),
        "guten Tag"
    );
    assert_eq!(site.get("/").await.body, "bonjour");
    assert_eq!(site.cache.stats().stores, 2);
}

struct Pages;

impl Pages {
    #[cached(view, timeout = 60)]
    async fn about(Path(id): Path<u8>) -> String {
        format!("about {id}")
    }
}

#[tokio::test]
async fn an_associated_function_can_be_a_view() {
    let site = serve(Router::new().route("/about/{id}", get(Pages::about))).await;
    assert_eq!(site.get("/about/3").await.body, "about 3");
    assert!(site.get("/about/3").await.is_hit());
}

#[tokio::test]
async fn a_fallback_is_a_view_like_others() {
    #[cached(view, timeout = 60, statuses(404))]
    async fn missing(uri: Uri) -> (StatusCode, String) {
        (StatusCode::NOT_FOUND, format!("no {uri}"))
    }

    let site = serve(Router::new().fallback(missing)).await;
    assert_eq!(site.get("/a").await.body, "no /a");
    assert!(site.get("/a").await.is_hit());
    let other = site.get("/b").await;
    assert_eq!((other.status, &*other.body), (404, "no /b"));
}

#[tokio::test]
async fn sixteen_extractors_are_as_many_as_axum_takes() {
    type P = Path<u8>;

    #[cached(view, timeout = 60)]
    #[expect(clippy::too_many_arguments, reason = "as many as there can be")]
    async fn many(
        a: P,
        _b: P,
        _c: P,
        _d: P,
        _e: P,
        _f: P,
        _g: P,
        _h: P,
        _i: P,
        _j: P,
        _k: P,
        _l: P,
        _m: P,
        _n: P,
        _o: P,
        p: P,
    ) -> String {
        format!("{}", a.0 + p.0)
    }

    let site = serve(Router::new().route("/{n}", get(many))).await;
    assert_eq!(site.get("/4").await.body, "8");
    assert!(site.get("/4").await.is_hit());
}

#[tokio::test]
async fn called_by_hand_it_runs_past_the_cache() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60)]
    async fn counted(Path(id): Path<u8>) -> String {
        format!("{id}: {}", RUNS.next())
    }

    for run in 1..3 {
        let response = counted(Path(7).into()).await;
        let body = axum::body::to_bytes(response.into_body(), 100)
            .await
            .unwrap();
        assert_eq!(body, format!("7: {run}"));
    }
}

#[tokio::test]
async fn a_rejected_request_does_not_reach_the_cache() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60)]
    async fn numbered(Path(id): Path<u8>) -> String {
        RUNS.next();
        id.to_string()
    }

    let site = serve(Router::new().route("/{id}", get(numbered))).await;
    assert_eq!(site.get("/many").await.status, 400);
    assert_eq!(RUNS.count(), 0);
    assert!(site.cache.is_empty());
}

#[tokio::test]
async fn a_handler_may_take_the_body() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60)]
    async fn echo(body: String) -> String {
        format!("{body} run {}", RUNS.next())
    }

    #[cached(view, timeout = 60, skip(order))]
    async fn buy(State(app): State<App>, Json(order): Json<Vec<u8>>) -> String {
        format!("{} {order:?} run {}", app.name.0, RUNS.next())
    }

    #[cached(view, timeout = 60, skip(request))]
    async fn whole(request: axum::extract::Request) -> String {
        format!("{} run {}", request.uri(), RUNS.next())
    }

    let app = Router::new()
        .route("/echo", get(echo).post(echo))
        .route("/buy", axum::routing::post(buy))
        .route("/whole", get(whole))
        .with_state(App { name: Name("shop") });
    let site = serve(app).await;
    let client = reqwest::Client::new();
    let send = async |request: reqwest::RequestBuilder| {
        request.send().await.unwrap().text().await.unwrap()
    };
    for run in 1..3 {
        let post = client.post(site.url("/echo")).body("ada");
        assert_eq!(send(post).await, format!("ada run {run}"));
    }
    // A body that comes with a GET is not in the key.
    for run in 3..5 {
        let odd = client.get(site.url("/echo")).body("bob");
        assert_eq!(send(odd).await, format!("bob run {run}"));
    }
    assert_eq!(site.get("/echo").await.body, " run 5");
    assert_eq!(site.get("/echo").await.body, " run 5");
    for run in 6..8 {
        let post = client
            .post(site.url("/buy"))
            .header("content-type", "application/json");
        assert_eq!(send(post.body("[1]")).await, format!("shop [1] run {run}"));
    }
    assert_eq!(site.get("/whole").await.body, "/whole run 8");
    assert!(site.get("/whole").await.is_hit());
}

#[tokio::test]
async fn extractors_that_may_fail_or_be_missing_are_arguments_too() {
    #[derive(Deserialize)]
    struct Filter {
        page: u32,
    }

    type Filtered = Result<Query<Filter>, axum::extract::rejection::QueryRejection>;

    #[cached(view, timeout = 60)]
    async fn list(shop: Option<Path<u8>>, (uri, filter): (Uri, Filtered)) -> String {
        let page = filter.map_or(1, |Query(filter)| filter.page);
        format!("{} {uri} {page}", shop.is_some())
    }

    let app = Router::new()
        .route("/", get(list))
        .route("/{shop}", get(list));
    let site = serve(app).await;
    for (path, body) in [
        ("/", "false / 1"),
        ("/7", "true /7 1"),
        ("/7?page=3", "true /7?page=3 3"),
        ("/7?page=x", "true /7?page=x 1"),
    ] {
        assert_eq!(site.get(path).await.body, body);
        assert!(site.get(path).await.is_hit(), "{path}");
    }
}
