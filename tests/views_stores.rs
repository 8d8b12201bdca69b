//! Cached views on a store that several processes share.
#![cfg(all(feature = "axum", feature = "tokio", feature = "stores"))]

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use dewar::http::ScopeLayer;
use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, cached};
use http_body_util::BodyExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tower::ServiceExt;

/// Both tests look at one source.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
static VERSION: AtomicUsize = AtomicUsize::new(1);

#[cached(timeout = "1h", key_prefix = "data", tags("products"))]
async fn data() -> usize {
    VERSION.load(Ordering::SeqCst)
}

#[cached(view, timeout = "1h", key_prefix = "page", tags("products"))]
async fn page() -> String {
    format!("version {}", VERSION.load(Ordering::SeqCst))
}

async fn text(app: &Router) -> String {
    let request = Request::get("/")
        .header("host", "a")
        .body(Body::empty())
        .unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8_lossy(&body).into_owned()
}

async fn two(store: FaultyStore) {
    let _turn = TURN.lock().await;
    VERSION.store(1, Ordering::SeqCst);
    let process = || {
        let builder = Cache::builder()
            .shared(store.clone())
            .memory_copies(Duration::from_secs(5));
        TestCache::with(builder).unwrap()
    };
    let (one, other) = (process(), process());
    let apps: Vec<Router> = [&one, &other]
        .iter()
        .map(|c| {
            Router::new()
                .route("/", get(page))
                .layer(ScopeLayer::new(c))
        })
        .collect();
    assert_eq!(one.scope(async { data().await }).await, 1);
    assert_eq!(other.scope(async { data().await }).await, 1);
    for app in &apps {
        assert_eq!(text(app).await, "version 1");
    }
    VERSION.store(2, Ordering::SeqCst);
    one.invalidation().tag("products").run().await.unwrap();
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    one.advance(Duration::from_secs(20));
    other.advance(Duration::from_secs(20));
    let page = text(&apps[1]).await;
    assert_eq!(page, "version 2");
}

#[tokio::test]
async fn a_page_is_a_copy_where_nobody_can_tell_it_better() {
    two(FaultyStore::new()).await
}
#[tokio::test]
async fn a_page_hears_of_an_invalidation_elsewhere() {
    two(FaultyStore::pushing()).await
}
