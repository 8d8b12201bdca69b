//! What `CacheLayer` does, in process and with a clock that is moved by hand.
#![cfg(feature = "tower")]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dewar::http::{CacheLayer, CacheService, ViewBody, ViewPolicy};
use dewar::testing::TestCache;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

type Handler = BoxCloneSyncService<Request<()>, Response<Full<Bytes>>, Infallible>;

/// A service behind a layer, and how often its handler ran.
struct Site {
    cache: TestCache,
    layer: CacheLayer,
    service: CacheService<Handler>,
    runs: Arc<AtomicU32>,
}

/// What came back.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// The handler answers with what `answer` makes of the request and the number of the run.
fn site(
    policy: ViewPolicy,
    answer: impl Fn(&Request<()>, u32) -> Response<Full<Bytes>> + Send + Sync + Clone + 'static,
) -> Site {
    let cache = TestCache::new();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let handler = service_fn(move |request: Request<()>| {
        let run = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let response = answer(&request, run);
        async move { Ok::<_, Infallible>(response) }
    });
    let layer = CacheLayer::new(policy)
        .cache(&cache)
        .key_prefix("shop:pages")
        .tag("pages");
    let service = layer.layer(BoxCloneSyncService::new(handler));
    Site {
        cache,
        layer,
        service,
        runs,
    }
}

fn text(run: u32) -> Response<Full<Bytes>> {
    Response::new(Full::new(Bytes::from(format!("run {run}"))))
}

fn with(run: u32, fields: &[(&'static str, &'static str)]) -> Response<Full<Bytes>> {
    let mut response = text(run);
    for (name, value) in fields {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}

impl Site {
    async fn send(&self, request: Request<()>) -> Reply {
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body: ViewBody = body;
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn ask(&self, method: Method, uri: &str, fields: &[(&str, &str)]) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "shop.test");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        self.send(request.body(()).unwrap()).await
    }

    async fn get(&self, uri: &str) -> Reply {
        self.ask(Method::GET, uri, &[]).await
    }

    fn advance(&self, seconds: u64) {
        self.cache.advance(Duration::from_secs(seconds));
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

fn minute() -> ViewPolicy {
    ViewPolicy::new().timeout(Duration::from_secs(60))
}

#[tokio::test]
async fn a_response_is_served_until_its_time_is_over() {
    let site = site(minute(), |_, run| text(run));
    assert_eq!(site.get("/").await.body, "run 1");
    site.advance(59);
    let hit = site.get("/").await;
    assert_eq!((hit.body.as_str(), hit.header("age")), ("run 1", "59"));
    assert_eq!(hit.header("cache-status"), "dewar; hit; ttl=1");
    site.advance(1);
    assert_eq!(site.get("/").await.body, "run 2");
    assert_eq!((site.cache.stats().hits, site.cache.stats().loads), (1, 2));
}

#[tokio::test]
async fn a_response_without_freshness_is_not_stored_where_there_is_no_timeout() {
    let site = site(ViewPolicy::new(), |_, run| text(run));
    assert_eq!(site.get("/").await.body, "run 1");
    assert_eq!(site.get("/").await.body, "run 2");
    assert!(site.cache.is_empty());
}

#[tokio::test]
async fn clients_are_told_to_ask_again_and_get_a_304() {
    let site = site(minute(), |_, run| text(run));
    let first = site.get("/").await;
    assert_eq!(first.header("cache-control"), "no-cache");
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with('"'), "{etag}");
    assert!(!first.header("last-modified").is_empty());
    let again = site
        .ask(Method::GET, "/", &[("if-none-match", &etag)])
        .await;
    assert_eq!(
        (again.status, again.body.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
    assert_eq!(again.header("etag"), etag);
    assert_eq!(site.runs(), 1);
}

#[tokio::test]
async fn what_the_handler_says_itself_is_left_alone() {
    let site = site(minute(), |_, run| {
        with(run, &[("cache-control", "max-age=5"), ("etag", "\"mine\"")])
    });
    let first = site.get("/").await;
    assert_eq!(first.header("cache-control"), "max-age=5");
    assert_eq!(first.header("etag"), "\"mine\"");
    site.advance(5);
    assert_eq!(site.get("/").await.body, "run 2");
}

#[tokio::test]
async fn variants_of_one_url_live_side_by_side() {
    let site = site(minute(), |request, _| {
        let language = request.headers().get("accept-language");
        let language = language.map_or("none", |value| value.to_str().unwrap());
        let mut response = Response::new(Full::new(Bytes::from(language.to_owned())));
        let vary = "Accept-Language".parse().unwrap();
        response.headers_mut().insert(header::VARY, vary);
        response
    });
    for language in ["en", "de", "en", "de"] {
        let reply = site
            .ask(Method::GET, "/", &[("accept-language", language)])
            .await;
        assert_eq!(reply.body, language);
    }
    assert_eq!(site.get("/").await.body, "none");
    assert_eq!(site.runs(), 3);
    assert_eq!(site.cache.len(), 1);
}

#[tokio::test]
async fn the_number_of_variants_is_bounded() {
    let policy = minute().max_variants(4).vary([header::USER_AGENT]);
    let site = site(policy, |_, run| text(run));
    for agent in 0..50 {
        let agent = format!("agent {agent}");
        let reply = site.ask(Method::GET, "/", &[("user-agent", &agent)]).await;
        assert_eq!(reply.header("vary"), "user-agent");
    }
    site.ask(Method::GET, "/", &[("user-agent", "agent 49")])
        .await;
    assert_eq!(site.runs(), 50);
    site.ask(Method::GET, "/", &[("user-agent", "agent 0")])
        .await;
    assert_eq!(site.runs(), 51);
}

#[tokio::test]
async fn a_stale_response_is_validated_and_lives_on() {
    let site = site(ViewPolicy::proxy(), |request, run| {
        let fields = [("cache-control", "max-age=10"), ("etag", "\"a\"")];
        let mut response = with(run, &fields);
        if request
            .headers()
            .get("if-none-match")
            .is_some_and(|it| it == "\"a\"")
        {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Full::default();
            response
                .headers_mut()
                .insert("x-new", "yes".parse().unwrap());
        }
        response
    });
    site.get("/").await;
    site.advance(11);
    let validated = site.get("/").await;
    assert_eq!(
        (validated.status, validated.body.as_str()),
        (StatusCode::OK, "run 1")
    );
    assert_eq!(validated.header("x-new"), "yes");
    let status = "dewar; fwd=stale; fwd-status=304; ttl=10; stored";
    assert_eq!(validated.header("cache-status"), status);
    site.advance(9);
    assert_eq!(site.get("/").await.header("age"), "9");
    assert_eq!(site.runs(), 2);
}

#[tokio::test]
async fn a_client_with_its_own_condition_still_fills_the_cache() {
    let site = site(minute(), |request, run| {
        assert!(!request.headers().contains_key("if-none-match"));
        text(run)
    });
    let other = site
        .ask(Method::GET, "/", &[("if-none-match", "\"other\"")])
        .await;
    assert_eq!(
        (other.status, other.body.as_str()),
        (StatusCode::OK, "run 1")
    );
    let etag = other.header("etag").to_owned();
    let site = self::site(minute(), |_, _| text(1));
    let same = site
        .ask(Method::GET, "/", &[("if-none-match", &etag)])
        .await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    assert_eq!(site.get("/").await.body, "run 1");
    assert_eq!(site.runs(), 1);
}

#[tokio::test]
async fn stale_is_served_while_it_is_loaded_afresh() {
    let policy = minute().stale_while_revalidate(Duration::from_secs(30));
    let site = site(policy, |_, run| text(run));
    site.get("/").await;
    site.advance(70);
    let stale = site.get("/").await;
    assert_eq!(stale.body, "run 1");
    assert_eq!(stale.header("cache-status"), "dewar; hit; ttl=-10");
    tokio::task::yield_now().await;
    assert_eq!(site.runs(), 2);
    assert_eq!(site.get("/").await.body, "run 2");
    site.advance(91);
    assert_eq!(site.get("/").await.body, "run 3");
}

#[tokio::test]
async fn of_many_that_are_served_stale_one_loads_afresh() {
    let policy = minute().stale_while_revalidate(Duration::from_secs(30));
    let site = site(policy, |_, run| text(run));
    site.get("/").await;
    site.advance(70);
    let stale = (0..5).map(|_| site.get("/"));
    for reply in futures::future::join_all(stale).await {
        assert_eq!(reply.body, "run 1");
    }
    tokio::task::yield_now().await;
    assert_eq!(site.runs(), 2);
}

#[tokio::test]
async fn stale_is_served_where_the_handler_fails() {
    let policy = minute().stale_if_error(Duration::from_secs(30));
    let site = site(policy, |_, run| {
        let mut response = text(run);
        if run > 1 {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    });
    site.get("/").await;
    site.advance(70);
    let stale = site.get("/").await;
    assert_eq!(
        (stale.status, stale.body.as_str()),
        (StatusCode::OK, "run 1")
    );
    let status = "dewar; fwd=stale; fwd-status=503; ttl=-10";
    assert_eq!(stale.header("cache-status"), status);
    site.advance(20);
    assert_eq!(site.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_panic_is_answered_with_what_is_stale_or_goes_on() {
    let policy = minute().stale_if_error(Duration::from_secs(30));
    let site = Arc::new(site(policy, |_, run| {
        assert!(run == 1, "the handler fails");
        text(run)
    }));
    site.get("/").await;
    site.advance(70);
    assert_eq!(site.get("/").await.body, "run 1");
    site.advance(30);
    let other = Arc::clone(&site);
    let failed = tokio::spawn(async move { other.get("/").await.status }).await;
    assert!(failed.unwrap_err().is_panic());
}

#[tokio::test]
async fn a_head_is_answered_from_a_get_and_never_makes_one() {
    let site = site(minute(), |_, run| text(run));
    site.ask(Method::HEAD, "/", &[]).await;
    assert!(site.cache.is_empty());
    site.get("/").await;
    let head = site.ask(Method::HEAD, "/", &[]).await;
    assert_eq!(
        (head.body.as_str(), head.header("content-length")),
        ("", "5")
    );
    assert_eq!(site.runs(), 2);
}

#[tokio::test]
async fn ranges_are_cut_from_what_is_whole() {
    let site = site(minute(), |_, run| text(run));
    let missed = site.ask(Method::GET, "/", &[("range", "bytes=0-2")]).await;
    assert_eq!(
        (missed.status, missed.body.as_str()),
        (StatusCode::PARTIAL_CONTENT, "run")
    );
    let part = site.ask(Method::GET, "/", &[("range", "bytes=4-")]).await;
    assert_eq!(
        (part.status, part.body.as_str()),
        (StatusCode::PARTIAL_CONTENT, "1")
    );
    assert_eq!(part.header("content-range"), "bytes 4-4/5");
    let beyond = site.ask(Method::GET, "/", &[("range", "bytes=9-")]).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.header("content-range"), "bytes */5");
    let changed = [("range", "bytes=0-2"), ("if-range", "\"other\"")];
    let whole = site.ask(Method::GET, "/", &changed).await;
    assert_eq!(
        (whole.status, whole.body.as_str()),
        (StatusCode::OK, "run 1")
    );
    assert_eq!(site.runs(), 1);
}

#[tokio::test]
async fn a_part_is_never_stored_as_the_whole() {
    let site = site(minute(), |request, run| {
        let mut response = text(run);
        if request.headers().contains_key("range") {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = "bytes 0-4/9".parse().unwrap();
            response.headers_mut().insert("content-range", range);
        }
        response
    });
    site.ask(Method::GET, "/", &[("range", "bytes=0-4")]).await;
    assert_eq!(site.get("/").await.body, "run 2");
}

#[tokio::test]
async fn an_unsafe_method_that_succeeds_invalidates_its_url() {
    let site = site(minute(), |request, run| {
        let mut response = text(run);
        match request.uri().path() {
            "/fails" => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
            "/moves" => {
                let headers = response.headers_mut();
                headers.insert("location", "/b?x=1".parse().unwrap());
                headers.insert("content-location", "//other.test/a".parse().unwrap());
            }
            _ => {}
        }
        response
    });
    for uri in ["/a", "/b?x=1", "/fails"] {
        site.get(uri).await;
    }
    for method in [
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::from_bytes(b"PURGE").unwrap(),
    ] {
        let before = site.get("/a").await.body;
        site.ask(method.clone(), "/a", &[]).await;
        assert_ne!(site.get("/a").await.body, before, "{method}");
    }
    let (a, b) = (site.get("/a").await.body, site.get("/b?x=1").await.body);
    site.ask(Method::POST, "/moves", &[]).await;
    assert_eq!(site.get("/a").await.body, a);
    assert_ne!(site.get("/b?x=1").await.body, b);
    let runs = site.runs();
    site.ask(Method::OPTIONS, "/a", &[]).await;
    site.ask(Method::POST, "/fails", &[]).await;
    site.get("/a").await;
    assert_eq!(
        site.get("/fails").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(site.runs(), runs + 3);
}

#[tokio::test]
async fn what_is_cached_is_invalidated_by_url_path_prefix_tag_and_layer() {
    let site = site(minute(), |_, run| text(run));
    let uri = "/list?page=2&sort=price";
    type Form = fn(&Site) -> dewar::Invalidation;
    let forms: [(&str, Form, bool); 11] = [
        (
            "in any order",
            |it| it.cache.invalidation().url("/list?sort=price&page=2"),
            true,
        ),
        (
            "on its host",
            |it| {
                it.cache
                    .invalidation()
                    .url("http://shop.test/list?page=2&sort=price")
            },
            true,
        ),
        (
            "another host",
            |it| {
                it.cache
                    .invalidation()
                    .url("http://other.test/list?page=2&sort=price")
            },
            false,
        ),
        (
            "another query",
            |it| it.cache.invalidation().url("/list?page=2"),
            false,
        ),
        (
            "spelt otherwise",
            |it| it.cache.invalidation().url("/l%69st?page=2&sort=price"),
            true,
        ),
        ("path", |it| it.cache.invalidation().path("/list"), true),
        ("prefix", |it| it.cache.invalidation().prefix("shop"), true),
        (
            "another prefix",
            |it| it.cache.invalidation().prefix("sho"),
            false,
        ),
        ("tag", |it| it.cache.invalidation().tag("pages"), true),
        ("layer", |it| it.layer.invalidation(), true),
        ("all", |it| it.cache.invalidation().all(), true),
    ];
    for (name, form, expected) in forms {
        let before = site.get(uri).await.body;
        form(&site).run().wait().unwrap();
        assert_eq!(site.get(uri).await.body != before, expected, "{name}");
    }
    assert!(site.cache.invalidation().url("list").run().wait().is_err());
    assert!(
        site.cache
            .invalidation()
            .url("http://")
            .run()
            .wait()
            .is_err()
    );
}

#[tokio::test]
async fn what_is_softly_invalidated_is_served_while_it_is_loaded_afresh() {
    let policy = minute().stale_while_revalidate(Duration::from_secs(30));
    let site = site(policy, |_, run| text(run));
    site.get("/").await;
    site.cache
        .invalidation()
        .soft()
        .tag("pages")
        .run()
        .wait()
        .unwrap();
    assert_eq!(site.get("/").await.body, "run 1");
    tokio::task::yield_now().await;
    assert_eq!(site.get("/").await.body, "run 2");
    assert_eq!(site.runs(), 2);
}

#[tokio::test]
async fn a_load_that_began_before_an_invalidation_is_not_stored() {
    let cache = TestCache::new();
    let inner = cache.clone();
    let handler = service_fn(move |_: Request<()>| {
        let cache = inner.clone();
        async move {
            cache.invalidation().url("/").run().await.unwrap();
            Ok::<_, Infallible>(text(1))
        }
    });
    let service = CacheLayer::new(minute()).cache(&cache).layer(handler);
    let request = Request::builder().uri("/").body(()).unwrap();
    service.oneshot(request).await.unwrap();
    assert!(cache.is_empty());
}

#[tokio::test]
async fn what_clients_ask_for_counts_where_the_policy_says_so() {
    let fields: &[(&str, &str, bool)] = &[
        ("cache-control", "no-cache", true),
        ("pragma", "no-cache", true),
        ("cache-control", "max-age=0", true),
        ("cache-control", "max-age=5", true),
        ("cache-control", "max-age=50", false),
        ("cache-control", "min-fresh=55", true),
        ("cache-control", "only-if-cached", false),
    ];
    for (name, value, runs) in fields {
        for obey in [true, false] {
            let site = site(minute().request_directives(obey), |_, run| text(run));
            site.get("/").await;
            site.advance(10);
            site.ask(Method::GET, "/", &[(name, value)]).await;
            assert_eq!(site.runs() == 2, *runs && obey, "{name}: {value}, {obey}");
        }
    }
    let site = site(minute().request_directives(true), |_, run| text(run));
    let absent = site
        .ask(Method::GET, "/", &[("cache-control", "only-if-cached")])
        .await;
    assert_eq!(
        (absent.status, site.runs()),
        (StatusCode::GATEWAY_TIMEOUT, 0)
    );
    site.get("/").await;
    site.advance(70);
    let stale = site
        .ask(Method::GET, "/", &[("cache-control", "max-stale=20")])
        .await;
    assert_eq!(stale.body, "run 1");
}

#[tokio::test]
async fn a_body_over_the_limit_passes_unstored() {
    let site = site(minute().body_limit(4), |_, run| text(run));
    assert_eq!(site.get("/").await.body, "run 1");
    assert_eq!(site.get("/").await.body, "run 2");
    assert!(site.cache.is_empty());
}

#[tokio::test]
async fn the_query_counts_as_the_policy_says() {
    let policy = minute().sorted_query().ignore_query(["utm_*"]);
    let site = site(policy, |_, run| text(run));
    for uri in ["/?a=1&b=2", "/?b=2&a=1", "/?utm_source=x&a=1&b=2"] {
        assert_eq!(site.get(uri).await.body, "run 1", "{uri}");
    }
    for uri in ["/?a=2&b=1", "/?a=1", "/", "/?a=1&b=2&a=1"] {
        assert_ne!(site.get(uri).await.body, "run 1", "{uri}");
    }
}

#[tokio::test]
async fn nothing_is_said_of_the_cache_where_that_is_not_wanted() {
    let site = site(minute().no_cache_status(), |_, run| text(run));
    for seconds in [0, 1, 70] {
        site.advance(seconds);
        assert_eq!(site.get("/").await.header("cache-status"), "");
    }
    let site = self::site(minute().cache_status("my cache"), |_, run| {
        with(run, &[("cache-status", "origin; hit")])
    });
    for last in [
        "my-cache; fwd=uri-miss; fwd-status=200; ttl=60; stored",
        "my-cache; hit; ttl=60",
    ] {
        let reply = site.get("/").await;
        let lines: Vec<_> = reply.headers.get_all("cache-status").iter().collect();
        assert_eq!(lines, ["origin; hit", last]);
    }
}

#[tokio::test]
async fn without_memory_every_request_passes() {
    let cache = dewar::Cache::builder()
        .store(dewar::StoreKind::Null)
        .build()
        .unwrap();
    let handler = service_fn(async |_: Request<()>| Ok::<_, Infallible>(text(1)));
    let service = CacheLayer::new(minute()).cache(&cache).layer(handler);
    let request = || Request::builder().uri("/").body(()).unwrap();
    let reply = service.clone().oneshot(request()).await.unwrap();
    assert_eq!(
        reply.headers()["cache-status"],
        "dewar; fwd=bypass; fwd-status=200"
    );
}

#[tokio::test]
async fn a_hit_weighs_its_body_and_headers() {
    let cache = dewar::Cache::builder().max_bytes(1 << 20).build().unwrap();
    let handler = service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![0; 100_000]))))
    });
    let service = CacheLayer::new(minute()).cache(&cache).layer(handler);
    for n in 0..50 {
        let request = Request::builder().uri(format!("/{n}")).body(()).unwrap();
        service.clone().oneshot(request).await.unwrap();
    }
    assert!(cache.weight() <= 1 << 20, "{}", cache.weight());
    assert!(cache.len() <= 10, "{}", cache.len());
}

#[tokio::test]
async fn what_clients_send_beside_the_key_adds_to_an_entry_for_a_while_only() {
    let cache = dewar::Cache::builder().max_bytes(1 << 20).build().unwrap();
    let handler = service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("page"))))
    });
    let policy = minute()
        .ignore_query(["utm_*"])
        .vary([header::ACCEPT_LANGUAGE]);
    let service = CacheLayer::new(policy).cache(&cache).layer(handler);
    let ask = async |n: usize| {
        let request = Request::builder()
            .uri(format!("/?utm_source={n:05}"))
            .header(header::ACCEPT_LANGUAGE, format!("l{n:05}"));
        let request = request.body(()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        let said = response.headers()["cache-status"].to_str().unwrap();
        let hit = said.contains("; hit");
        (hit, cache.weight())
    };
    let mut heaviest = 0;
    for n in 0..300 {
        heaviest = ask(n).await.1.max(heaviest);
    }
    for n in 300..2_000 {
        let (hit, weight) = ask(n).await;
        assert!(!hit && weight <= heaviest, "{n}: {weight} > {heaviest}");
    }
    assert!(ask(1_999).await.0, "the last one is there");
    let url = cache.invalidation().url("/?utm_source=01999");
    url.run().await.unwrap();
    assert!(!ask(1_999).await.0);
}
