//! What a request that changes things takes out of the cache (RFC 9111, section 4.4), over sockets.
#![cfg(feature = "axum")]

#[path = "common/web.rs"]
mod web;

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::Method;
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
