//! Nobody is ever given what is another's: over a real socket, with handlers that say nothing about
//! caching behind a layer that caches all it may, and as views.
#![cfg(feature = "axum")]

#[path = "common/web.rs"]
mod web;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use dewar::cached;
use dewar::http::{CacheLayer, Credentials, ScopeLayer, ViewPolicy};
use dewar::testing::TestCache;
use futures::{StreamExt, stream};
use web::{Server, serve};

fn policy() -> ViewPolicy {
    ViewPolicy::new().timeout(Duration::from_secs(60))
}

/// Everything of a request that a handler may look at.
async fn echo(
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> String {
    let line = |name: &str| {
        let lines = headers.get_all(name).iter();
        lines
            .map(|line| line.to_str().unwrap_or("?"))
            .collect::<Vec<_>>()
            .join("|")
    };
    format!(
        "{method} {uri} host={} user={}{} body={}",
        line("host"),
        line("cookie"),
        line("authorization"),
        body.len(),
    )
}

async fn echoing(policy: ViewPolicy) -> (Server, TestCache) {
    let cache = TestCache::new();
    let layer = CacheLayer::new(policy).cache(&cache);
    (
        serve(Router::new().fallback(any(echo)).layer(layer)).await,
        cache,
    )
}

/// The same as a view.
async fn viewing() -> (Server, TestCache) {
    #[cached(view, timeout = 60, skip(headers))]
    async fn view(method: Method, uri: OriginalUri, headers: HeaderMap, body: Bytes) -> String {
        echo(method, uri, headers, body).await
    }

    let cache = TestCache::new();
    let app = Router::new().fallback(any(view));
    (serve(app.layer(ScopeLayer::new(&cache))).await, cache)
}

#[tokio::test]
async fn two_users_never_see_each_others_pages() {
    for site in [echoing(policy()).await, viewing().await] {
        two_users_see_their_own(site).await;
    }
}

async fn two_users_see_their_own((server, cache): (Server, TestCache)) {
    for round in 0..3 {
        for user in [
            "Cookie: id=ann",
            "Cookie: id=bob",
            "Authorization: Bearer ann",
            "Authorization: Basic Ym9i",
        ] {
            let reply = server.ask("GET", "/account", &[user]).await;
            let name = user.split_once(": ").unwrap().1;
            assert!(
                reply.body.contains(&format!("user={name} ")),
                "{round} {reply:?}"
            );
            assert!(!reply.is_hit());
        }
        // Nobody in particular: neither theirs, nor theirs for them.
        let anonymous = server.get("/account").await;
        assert!(anonymous.body.contains("user= "), "{anonymous:?}");
    }
    assert_eq!(cache.len(), 1);
}

#[tokio::test]
async fn users_may_have_pages_of_their_own() {
    for keyed in [
        policy().cookies(Credentials::Keyed),
        policy()
            .vary([header::COOKIE])
            .cookies(Credentials::Ignored),
    ] {
        let (server, _) = echoing(keyed).await;
        for round in 0..2 {
            for user in ["ann", "bob"] {
                let reply = server
                    .ask("GET", "/", &[&format!("Cookie: id={user}")])
                    .await;
                assert!(reply.body.contains(&format!("id={user} ")), "{reply:?}");
                assert_eq!(reply.is_hit(), round == 1);
                assert_eq!(reply.header("vary"), "cookie");
            }
        }
    }
}

#[tokio::test]
async fn a_page_of_ones_own_is_public_for_nobody() {
    let told = || policy().cache_control(header::HeaderValue::from_static("public, max-age=60"));
    let keyed = [
        told().cookies(Credentials::Keyed),
        told().authorization(Credentials::Keyed),
        told()
            .vary([header::COOKIE, header::AUTHORIZATION])
            .cookies(Credentials::Ignored)
            .authorization(Credentials::Ignored),
    ];
    for (keyed, users) in keyed.into_iter().zip([
        &["Cookie: id=ann"][..],
        &["Authorization: Bearer ann"],
        &["Cookie: id=ann", "Authorization: Bearer ann"],
    ]) {
        let (server, _) = echoing(keyed).await;
        for user in users {
            for hit in [false, true] {
                let reply = server.ask("GET", "/", &[user]).await;
                assert_eq!(reply.is_hit(), hit, "{reply:?}");
                assert_eq!(reply.header("cache-control"), "private, max-age=60");
            }
        }
        let anybody = server.get("/").await;
        assert_eq!(anybody.header("cache-control"), "public, max-age=60");
    }
}

#[tokio::test]
async fn a_response_for_everybody_is_shared_only_if_it_says_so() {
    for (line, shared) in [
        ("public, max-age=60", true),
        ("s-maxage=60", true),
        ("max-age=60", false),
    ] {
        let cache = TestCache::new();
        let handler = move || async move { ([(header::CACHE_CONTROL, line)], "page") };
        let layer = CacheLayer::new(policy()).cache(&cache);
        let server = serve(Router::new().route("/", get(handler)).layer(layer)).await;
        let ann = ["Authorization: Bearer ann"];
        let first = server.ask("GET", "/", &ann).await;
        assert_eq!(first.header("cache-control"), line);
        assert_eq!(
            server.ask("GET", "/", &["Cookie: bob"]).await.is_hit(),
            shared,
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_login_is_seen_at_once_and_its_cookie_reaches_nobody_else() {
    async fn home(headers: HeaderMap) -> String {
        let user = headers.get("cookie").and_then(|it| it.to_str().ok());
        format!("hello {}", user.unwrap_or("stranger"))
    }
    let login = async || ([(header::SET_COOKIE, "id=ann")], "welcome");
    let cache = TestCache::new();
    let app = Router::new()
        .route("/", get(home))
        .route("/login", get(login).post(login))
        .layer(CacheLayer::new(policy()).cache(&cache));
    let server = serve(app).await;
    assert_eq!(server.get("/").await.body, "hello stranger");
    for method in ["POST", "GET", "GET"] {
        let reply = server.ask(method, "/login", &[]).await;
        assert_eq!(reply.header("set-cookie"), "id=ann");
        assert!(!reply.is_hit());
    }
    assert_eq!(
        server.ask("GET", "/", &["Cookie: id=ann"]).await.body,
        "hello id=ann"
    );
    assert_eq!(server.get("/").await.body, "hello stranger");
    assert_eq!(cache.len(), 1);
}

/// Requests that must never be given each other's response.
const DIFFERENT: &[(&str, &str, &[&str])] = &[
    ("GET", "/", &[]),
    ("GET", "/", &["Host: other.test"]),
    ("GET", "/", &["Host: shop.test:8080"]),
    ("GET", "/", &["Host: shop.test/a"]),
    ("GET", "/a", &[]),
    // Query: order, duplicates, blank values.
    ("GET", "/?", &[]),
    ("GET", "/?a=1&b=2", &[]),
    ("GET", "/?b=2&a=1", &[]),
    ("GET", "/?a=1&a=2", &[]),
    ("GET", "/?a=2&a=1", &[]),
    ("GET", "/?a=1,2", &[]),
    ("GET", "/?a", &[]),
    ("GET", "/?a=", &[]),
    ("GET", "/?a=&b=", &[]),
    ("GET", "/?a%3D1=", &[]),
    ("GET", "/?a=1%26b=2", &[]),
    ("GET", "/?A=1&b=2", &[]),
    ("GET", "/?a=1;b=2", &[]),
    // Paths and their spellings.
    ("GET", "/a/", &[]),
    ("GET", "//a", &[]),
    ("GET", "/A", &[]),
    ("GET", "/%61", &[]),
    ("GET", "/a/b", &[]),
    ("GET", "/a%2Fb", &[]),
    ("GET", "/a%2fb", &[]),
    ("GET", "/a/../b", &[]),
    ("GET", "/a%00b", &[]),
    ("GET", "/a%3Fb", &[]),
    ("GET", "/a?b", &[]),
    ("GET", "/a:b", &[]),
    ("GET", "/a%3Ab", &[]),
    ("GET", "/a%0d%0aX-Injected:%20yes", &[]),
    ("GET", "/?host=other.test", &[]),
    ("GET", "http://other.test/", &["Host: other.test"]),
    // Methods.
    ("POST", "/", &[]),
    ("PUT", "/", &[]),
    ("DELETE", "/", &[]),
    ("OPTIONS", "/", &[]),
    ("GET", "/", &["Cookie: a"]),
    ("GET", "/", &["Authorization: b"]),
];

#[tokio::test]
async fn every_request_is_given_its_own_response() {
    for (server, _) in [echoing(policy()).await, viewing().await] {
        each_is_given_its_own(server).await;
    }
}

async fn each_is_given_its_own(server: Server) {
    let mut seen: Vec<(String, usize)> = Vec::new();
    for _ in 0..3 {
        for (n, (method, path, headers)) in DIFFERENT.iter().enumerate() {
            let reply = server.ask(method, path, headers).await;
            assert_eq!(reply.status, 200, "{method} {path} {headers:?}");
            assert!(
                reply.body.starts_with(&format!("{method} ")),
                "{method} {path}: {reply:?}"
            );
            let known = seen.iter().find(|(body, _)| *body == reply.body);
            assert!(
                known.is_none_or(|(_, of)| *of == n),
                "{method} {path} {headers:?}: {reply:?}"
            );
            assert_eq!(reply.header("x-injected"), "");
            if known.is_none() {
                seen.push((reply.body, n));
            }
        }
    }
    assert_eq!(seen.len(), DIFFERENT.len());
}

#[tokio::test]
async fn what_the_key_cannot_tell_apart_goes_past_the_cache() {
    for site in [echoing(policy()).await, viewing().await] {
        nothing_strange_is_stored(site).await;
    }
}

async fn nothing_strange_is_stored((server, cache): (Server, TestCache)) {
    let long = format!("/{}", "x".repeat(9000));
    let two_hosts = ["Host: a.test", "Host: b.test"];
    let body =
        "GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
    let chunked = "GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let foreign = "GET http://a.test/ HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n\r\n";
    for _ in 0..2 {
        assert!(!server.get(&long).await.is_hit());
        let both = server.ask("GET", "/", &two_hosts).await;
        assert!(!both.is_hit(), "{both:?}");
        for request in [body, chunked] {
            assert!(server.send(request).await.body.ends_with("body=3"));
        }
        assert!(!server.send(foreign).await.is_hit());
        let upgrade = server.ask("GET", "/", &["Upgrade: echo"]).await;
        assert!(!upgrade.is_hit());
        let condition = server.ask("GET", "/", &["If-Match: \"x\""]).await;
        assert!(!condition.is_hit());
    }
    assert!(cache.is_empty(), "{cache:?}");
}

#[tokio::test]
async fn where_hosts_share_a_page_the_form_of_a_request_makes_no_difference() {
    let (server, _) = echoing(policy().any_host()).await;
    let page = server.get("/a?b").await;
    for (target, host) in [
        ("/a?b", "other.test"),
        ("http://shop.test/a?b", "shop.test"),
        ("HTTP://Other.test:80/a?b", "other.test:80"),
    ] {
        let host = format!("Host: {host}");
        let hit = server.ask("GET", target, &[&host]).await;
        assert_eq!((hit.is_hit(), &hit.body), (true, &page.body), "{target}");
    }
    // Two hosts at once are nobody's.
    let two = server
        .ask("GET", "http://a.test/a?b", &["Host: b.test"])
        .await;
    assert!(!two.is_hit() && two.body != page.body, "{two:?}");
    assert_eq!(server.get("/a?b").await.body, page.body);
}

#[tokio::test]
async fn a_head_before_a_get_leaves_no_empty_page() {
    for (server, _) in [echoing(policy()).await, viewing().await] {
        assert_eq!(server.ask("HEAD", "/", &[]).await.body, "");
        let page = server.get("/").await;
        assert!(page.body.starts_with("GET / "), "{page:?}");
        let head = server.ask("HEAD", "/", &[]).await;
        assert_eq!(
            (head.body.as_str(), head.header("content-length")),
            ("", page.body.len().to_string())
        );
        assert!(head.is_hit());
    }
}

#[tokio::test]
async fn languages_and_codings_are_not_mixed_up() {
    async fn page(headers: HeaderMap) -> impl IntoResponse {
        let said = |name| headers.get(name).map_or("none", |it| it.to_str().unwrap());
        let body = format!("{} {}", said("accept-language"), said("accept-encoding"));
        (
            [
                (header::VARY, "Accept-Language"),
                (header::VARY, "accept-encoding"),
            ],
            body,
        )
    }
    let cache = TestCache::new();
    let layer = CacheLayer::new(policy()).cache(&cache);
    let app = Router::new().route(
        "/",
        get(async |headers: HeaderMap| {
            let mut response = page(headers).await.into_response();
            let vary = header::HeaderValue::from_static("Accept-Language, accept-encoding");
            response.headers_mut().insert(header::VARY, vary);
            response
        }),
    );
    let server = serve(app.layer(layer)).await;
    for _ in 0..2 {
        for language in ["en", "de", "none"] {
            for coding in ["gzip", "br", "none"] {
                let lines = [
                    format!("Accept-Language: {language}"),
                    format!("Accept-Encoding: {coding}"),
                ];
                let lines: Vec<&str> = lines
                    .iter()
                    .map(String::as_str)
                    .filter(|it| !it.ends_with("none"))
                    .collect();
                let reply = server.ask("GET", "/", &lines).await;
                assert_eq!(reply.body, format!("{language} {coding}"));
            }
        }
    }
    assert_eq!(cache.stats().hits, 9);
}

#[tokio::test]
async fn two_applications_with_different_state_share_nothing() {
    async fn whose(State(name): State<&'static str>) -> &'static str {
        name
    }
    let (one, two) = (TestCache::new(), TestCache::new());
    // The same layer in both: what is different is the cache that is current inside.
    let layer = CacheLayer::new(policy());
    let app = |name, cache: &TestCache| {
        let routes = Router::new().route("/", get(whose)).layer(layer.clone());
        routes.layer(ScopeLayer::new(cache)).with_state(name)
    };
    let (first, second) = (serve(app("one", &one)).await, serve(app("two", &two)).await);
    for _ in 0..2 {
        assert_eq!(first.get("/").await.body, "one");
        assert_eq!(second.get("/").await.body, "two");
    }
    assert_eq!((one.len(), two.len()), (1, 1));
    // Layers of their own share nothing even in one cache.
    let both = TestCache::new();
    let app = |name| {
        let layer = CacheLayer::new(policy()).cache(&both);
        Router::new()
            .route("/", get(whose))
            .layer(layer)
            .with_state(name)
    };
    let (first, second) = (serve(app("one")).await, serve(app("two")).await);
    for _ in 0..2 {
        assert_eq!(first.get("/").await.body, "one");
        assert_eq!(second.get("/").await.body, "two");
    }
}

#[tokio::test]
async fn what_two_applications_call_while_a_body_is_sent_is_not_shared_either() {
    #[cached(timeout = 60, skip(whose))]
    async fn list(whose: &'static str) -> String {
        format!("list of {whose}")
    }
    #[cached(timeout = 60, skip(whose))]
    fn left(whose: &'static str) -> &'static str {
        whose
    }

    /// Calls a function when the body is done with.
    struct Dropped(&'static str, Arc<Mutex<Vec<&'static str>>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(left(self.0));
        }
    }

    type Name = (&'static str, Arc<Mutex<Vec<&'static str>>>);
    async fn page(State((name, said)): State<Name>) -> Body {
        let piece = async move |dropped: Dropped| Ok::<_, Infallible>(list(dropped.0).await);
        Body::from_stream(stream::iter([Dropped(name, said)]).then(piece))
    }

    let said = Arc::new(Mutex::new(Vec::new()));
    let (one, two) = (TestCache::new(), TestCache::new());
    let app = |name, cache: &TestCache| {
        let routes = Router::new().route("/", get(page));
        let routes = routes.layer(ScopeLayer::new(cache));
        routes.with_state((name, Arc::clone(&said)))
    };
    let (first, second) = (serve(app("one", &one)).await, serve(app("two", &two)).await);
    for _ in 0..2 {
        assert_eq!(first.get("/").await.body, "list of one");
        assert_eq!(second.get("/").await.body, "list of two");
    }
    assert_eq!(*said.lock().unwrap(), ["one", "two", "one", "two"]);
    assert_eq!((one.len(), two.len()), (2, 2));
}

#[tokio::test]
async fn what_a_handler_reads_beside_the_key_can_be_made_part_of_it() {
    let forwarded = header::HeaderName::from_static("x-forwarded-host");
    let cache = TestCache::new();
    let layer = CacheLayer::new(policy().vary([forwarded])).cache(&cache);
    let link = async |headers: HeaderMap| {
        let host = headers
            .get("x-forwarded-host")
            .map_or("shop.test", |it| it.to_str().unwrap());
        (StatusCode::OK, format!("https://{host}/"))
    };
    let server = serve(Router::new().route("/", get(link)).layer(layer)).await;
    let evil = server
        .ask("GET", "/", &["X-Forwarded-Host: evil.test"])
        .await;
    assert_eq!(evil.body, "https://evil.test/");
    assert_eq!(server.get("/").await.body, "https://shop.test/");
}
