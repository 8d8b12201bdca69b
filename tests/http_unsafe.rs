//! What a request that changes things takes out of the cache (RFC 9111, section 4.4), over sockets.
#![cfg(feature = "axum")]

#[path = "common/web.rs"]
mod web;

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::routing::{any, get};
use dewar::cached;
use dewar::http::{CacheLayer, ScopeLayer, ViewPolicy};
use dewar::testing::TestCache;
use web::{Runs, Server, serve};

fn minute() -> ViewPolicy {
    ViewPolicy::new().timeout(Duration::from_secs(60))
}

async fn count(State(runs): State<Runs>) -> String {
    let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
    format!("run {run}")
}

/// A page on every path, behind a layer with this policy.
async fn counting(policy: ViewPolicy) -> (Server, TestCache) {
    let cache = TestCache::new();
    let app = Router::new()
        .fallback(any(count))
        .layer(CacheLayer::new(policy).cache(&cache))
        .with_state(Runs::default());
    (serve(app).await, cache)
}

async fn on(server: Server, method: &str, host: &str) -> web::Reply {
    server.ask(method, "/a", &[&format!("Host: {host}")]).await
}

#[tokio::test]
async fn what_all_hosts_share_is_invalidated_through_each_of_them() {
    let (server, cache) = counting(minute().any_host()).await;
    let mut before = on(server, "GET", "a.test").await.body;
    for host in ["b.test", "a.test", "c.test:81"] {
        assert_eq!(on(server, "GET", "b.test").await.body, before);
        on(server, "POST", host).await;
        let after = on(server, "GET", "a.test").await;
        assert!(!after.is_hit() && after.body != before, "{host}");
        before = after.body;
    }
    let url = cache.invalidation().url("http://b.test/a");
    url.run().await.unwrap();
    assert_ne!(on(server, "GET", "a.test").await.body, before);
}

#[tokio::test]
async fn a_view_that_all_hosts_share_is_invalidated_through_each_of_them() {
    #[cached(view, timeout = 60, host = false, skip(state))]
    async fn page(method: Method2, state: State<Runs>) -> String {
        format!("{} {}", method.0, count(state).await)
    }

    struct Method2(Method);
    impl dewar::axum::FromUrl for Method2 {}
    impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Method2 {
        type Rejection = std::convert::Infallible;

        async fn from_request_parts(
            parts: &mut axum::http::request::Parts,
            _: &S,
        ) -> Result<Self, Self::Rejection> {
            Ok(Method2(parts.method.clone()))
        }
    }

    let cache = TestCache::new();
    let app = Router::new()
        .route("/a", get(page).post(page))
        .layer(ScopeLayer::new(&cache))
        .with_state(Runs::default());
    let server = serve(app).await;
    let before = on(server, "GET", "a.test").await;
    assert_eq!(on(server, "GET", "b.test").await.body, before.body);
    on(server, "POST", "b.test").await;
    assert_ne!(on(server, "GET", "a.test").await.body, before.body);
}

#[tokio::test]
async fn a_page_of_another_host_stays() {
    let (server, _cache) = counting(minute()).await;
    let before = on(server, "GET", "a.test").await;
    on(server, "POST", "b.test").await;
    let after = on(server, "GET", "a.test").await;
    assert_eq!((after.is_hit(), after.body), (true, before.body));
}

#[tokio::test]
async fn a_host_that_is_none_takes_nothing_out_on_all_others() {
    let (server, cache) = counting(minute()).await;
    let before = on(server, "GET", "a.test").await;
    for host in [
        "*",
        "~",
        "<any>",
        "<all>",
        "a b",
        "a.test /a",
        "\"\"",
        "a@b.test",
    ] {
        on(server, "POST", host).await;
        let after = on(server, "GET", "a.test").await;
        assert_eq!(
            (after.is_hit(), &after.body),
            (true, &before.body),
            "{host}"
        );
    }
    for host in ["<any>", "a b", "a@b.test"] {
        let stored = cache.len();
        on(server, "GET", host).await;
        assert_eq!(cache.len(), stored, "{host}");
    }
    // What the request names besides counts.
    let two = ["Host: b.test", "Host: A.test"];
    server.ask("POST", "/a", &two).await;
    assert_ne!(on(server, "GET", "a.test").await.body, before.body);
}

#[tokio::test]
async fn what_all_hosts_share_is_invalidated_whatever_host_is_named() {
    let (server, _cache) = counting(minute().any_host()).await;
    for host in ["*", "<all>", "a b", ""] {
        let before = on(server, "GET", "a.test").await.body;
        on(server, "POST", host).await;
        assert_ne!(on(server, "GET", "a.test").await.body, before, "{host}");
    }
}

/// A form that names a page, in these words, as what has changed.
async fn naming(field: &'static str) -> Server {
    let app = Router::new()
        .fallback(any(
            async move |method: Method, State(runs): State<Runs>, headers: HeaderMap| {
                let mut named = HeaderMap::new();
                if method == Method::POST {
                    let page = headers["x-page"].clone();
                    named.insert(field, page);
                }
                (named, count(State(runs)).await)
            },
        ))
        .layer(CacheLayer::new(minute()).cache(&TestCache::new()))
        .with_state(Runs::default());
    serve(app).await
}

#[tokio::test]
async fn a_page_is_found_in_every_spelling_of_its_url() {
    let spellings = [
        ("/p/%C3%A9", "/p/\u{e9}"),
        ("/p/%c3%a9?q=%C3%BC", "/p/\u{e9}?q=\u{fc}"),
        ("/p/%C3%A9", "//shop.test/p/\u{e9}"),
        ("/p/a%20b", "/p/a b"),
        ("/p/a%7Cb%5E", "/p/a|b^"),
        ("/p", "http://shop.test:80/p"),
        ("/p", "HTTPS://Shop.test:443/p"),
        ("/p", "//shop.test:/p"),
    ];
    for field in ["location", "content-location"] {
        let server = naming(field).await;
        for (path, named) in spellings {
            let before = server.get(path).await.body;
            assert!(server.get(path).await.is_hit());
            let named_so = format!("X-Page: {named}");
            server.ask("POST", "/form", &[&named_so]).await;
            assert_ne!(server.get(path).await.body, before, "{field}: {named}");
        }
        for other in ["http://shop.test:81/p", "http://shop.test:8080/p"] {
            let before = server.get("/p").await.body;
            let other = format!("X-Page: {other}");
            server.ask("POST", "/form", &[&other]).await;
            assert_eq!(server.get("/p").await.body, before, "{other}");
        }
    }
}

#[tokio::test]
async fn the_port_that_goes_without_saying_makes_no_other_host() {
    let (server, _cache) = counting(minute()).await;
    for (page, form) in [
        ("shop.test:80", "shop.test"),
        ("shop.test", "shop.test:443"),
    ] {
        let before = on(server, "GET", page).await;
        on(server, "POST", form).await;
        assert_ne!(on(server, "GET", page).await.body, before.body, "{page}");
    }
}
