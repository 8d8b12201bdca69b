//! `CacheLayer` on axum routers: wherever it is put, and whatever else is around it.
#![cfg(feature = "axum")]

#[path = "common/web.rs"]
mod web;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::routing::{any, get};
use dewar::http::{CacheLayer, ViewPolicy, cache_control, conditional, never_cache};
use dewar::testing::TestCache;
use futures::{StreamExt, stream};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use web::{Runs, layer, serve};

async fn count(State(runs): State<Runs>) -> String {
    let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
    format!(
        "run {run} {}",
        "of a page that is worth to be compressed ".repeat(20)
    )
}

#[tokio::test]
async fn on_a_router_and_on_a_method_router() {
    let cache = TestCache::new();
    let runs = Runs::default();
    let app = Router::new()
        .route("/inner", get(count).layer(layer(&cache)))
        .route("/outer", get(count).post(count).layer(layer(&cache)))
        .route("/both", get(count))
        .fallback(count)
        .layer(layer(&cache))
        .with_state(Arc::clone(&runs));
    let server = serve(app).await;
    for path in ["/inner", "/outer", "/both", "/nowhere"] {
        let before = runs.load(Ordering::SeqCst);
        let first = server.get(path).await;
        let second = server.get(path).await;
        assert!(second.is_hit(), "{path}: {second:?}");
        assert_eq!(first.body, second.body, "{path}");
        assert_eq!(runs.load(Ordering::SeqCst), before + 1, "{path}");
    }
}

#[tokio::test]
async fn nested_routers_with_equal_tails_are_told_apart() {
    let cache = TestCache::new();
    let runs = Runs::default();
    // One layer, put on both.
    let layer = layer(&cache);
    let inside = || Router::new().route("/x", get(count)).layer(layer.clone());
    let app = Router::new()
        .nest("/a", inside())
        .nest("/b", inside())
        .nest("/c", Router::new().nest("/d", inside()))
        .with_state(runs);
    let server = serve(app).await;
    let (a, b, c) = (
        server.get("/a/x").await,
        server.get("/b/x").await,
        server.get("/c/d/x").await,
    );
    assert!(a.body != b.body && b.body != c.body && a.body != c.body);
    assert!(!b.is_hit() && !c.is_hit());
    assert_eq!(server.get("/a/x").await.body, a.body);
}

#[tokio::test]
async fn a_path_that_middleware_wrote_is_in_the_key() {
    let cache = TestCache::new();
    let rewriting = from_fn(async |mut request: Request, next: Next| {
        let name = request.headers()["x-tenant"].to_str().unwrap().to_owned();
        *request.uri_mut() = format!("/{name}").parse().unwrap();
        next.run(request).await
    });
    // Behind the router, which has kept the URL that the client sent: the same for all.
    let tenant = get(async |uri: Uri| uri.path().to_owned())
        .layer(layer(&cache))
        .layer(rewriting);
    let server = serve(Router::new().route("/home", tenant)).await;
    for name in ["ada", "bob"] {
        let field = format!("X-Tenant: {name}");
        let first = server.ask("GET", "/home", &[&field]).await;
        let second = server.ask("GET", "/home", &[&field]).await;
        let expected = format!("/{name}");
        assert_eq!((first.body, &*second.body), (expected.clone(), &*expected));
        assert!(second.is_hit());
    }
}

#[tokio::test]
async fn a_timeout_inside_of_the_layer_is_answered_with_what_is_stale() {
    let cache = TestCache::new();
    let policy = ViewPolicy::new()
        .timeout(Duration::from_secs(60))
        .stale_if_error(Duration::from_secs(300));
    let page = async |State(runs): State<Runs>| {
        if runs.fetch_add(1, Ordering::SeqCst) > 0 {
            std::future::pending::<()>().await;
        }
        "page"
    };
    for slow in [StatusCode::REQUEST_TIMEOUT, StatusCode::GATEWAY_TIMEOUT] {
        let app = Router::new()
            .route("/", get(page))
            .layer(TimeoutLayer::with_status_code(
                slow,
                Duration::from_millis(50),
            ))
            .layer(CacheLayer::new(policy.clone()).cache(&cache))
            .with_state(Runs::default());
        let server = serve(app).await;
        assert_eq!(server.get("/").await.status, 200);
        cache.advance(Duration::from_secs(70));
        let stale = server.get("/").await;
        assert_eq!((stale.status, &*stale.body), (200, "page"), "{slow}");
        let said = format!("fwd=stale; fwd-status={}; ttl=-10", slow.as_u16());
        assert!(stale.header("cache-status").contains(&said), "{stale:?}");
        cache.advance(Duration::from_secs(300));
        assert_eq!(server.get("/").await.status, slow.as_u16());
    }
}

#[tokio::test]
async fn a_get_whose_body_no_header_announces_stores_nothing() {
    let cache = TestCache::new();
    let app = Router::new()
        .route("/", any(async |body: Bytes| body))
        .layer(layer(&cache));
    // As it comes over HTTP/2, where a body needs no `Content-Length`.
    for body in ["evil", "", "evil", "good"] {
        let request = Request::get("/").header(header::HOST, "shop.example");
        let request = request.body(Body::from(body)).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let answered = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(answered, body);
    }
}

#[tokio::test]
async fn around_compression_each_coding_has_its_own_response() {
    let cache = TestCache::new();
    let app = Router::new()
        .route("/", get(count))
        .layer(CompressionLayer::new())
        .layer(layer(&cache))
        .with_state(Runs::default());
    let server = serve(app).await;
    let gzip = ["Accept-Encoding: gzip"];
    let first = server.ask("GET", "/", &gzip).await;
    assert_eq!(first.header("content-encoding"), "gzip");
    let plain = server.get("/").await;
    assert_eq!(plain.header("content-encoding"), "");
    assert!(plain.body.starts_with("run 2"), "{plain:?}");
    let (again, plain_again) = (server.ask("GET", "/", &gzip).await, server.get("/").await);
    assert!(again.is_hit() && plain_again.is_hit());
    assert_eq!(again.header("content-encoding"), "gzip");
    assert_eq!(plain_again.body, plain.body);
    assert_ne!(again.header("etag"), plain_again.header("etag"));
}

#[tokio::test]
async fn inside_of_compression_there_is_one_response() {
    let cache = TestCache::new();
    let runs = Runs::default();
    let app = Router::new()
        .route("/", get(count))
        .layer(layer(&cache))
        .layer(CompressionLayer::new())
        .with_state(Arc::clone(&runs));
    let server = serve(app).await;
    let gzip = ["Accept-Encoding: gzip"];
    assert_eq!(
        server
            .ask("GET", "/", &gzip)
            .await
            .header("content-encoding"),
        "gzip"
    );
    assert!(server.get("/").await.body.starts_with("run 1"));
    assert_eq!(
        server
            .ask("GET", "/", &gzip)
            .await
            .header("content-encoding"),
        "gzip"
    );
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn with_timeout_and_trace_in_either_order() {
    let status = StatusCode::REQUEST_TIMEOUT;
    let limit = || TimeoutLayer::with_status_code(status, Duration::from_secs(30));
    let cache = TestCache::new();
    let (inner, outer) = (layer(&cache), layer(&cache));
    let app = |router: Router<Runs>| router.with_state(Runs::default());
    let pages = || Router::new().route("/", get(count));
    let first = pages()
        .layer(limit())
        .layer(TraceLayer::new_for_http())
        .layer(inner);
    let second = pages()
        .layer(outer)
        .layer(TraceLayer::new_for_http())
        .layer(limit());
    for router in [first, second] {
        let server = serve(app(router)).await;
        server.get("/").await;
        let hit = server.get("/").await;
        assert!(hit.is_hit() && hit.body.starts_with("run 1"), "{hit:?}");
    }
}

#[tokio::test]
async fn the_helpers_say_what_caches_may_do() {
    let cache = TestCache::new();
    let page = async || "hello";
    let public = header::HeaderValue::from_static("public, max-age=3600");
    let app = Router::new()
        .route("/never", get(page).layer(never_cache()))
        .route("/public", get(page).layer(cache_control(public.clone())))
        .layer(layer(&cache))
        .route("/conditional", get(page).layer(conditional()))
        .route(
            "/own",
            get(async || ([(header::CACHE_CONTROL, "max-age=1")], "own"))
                .layer(cache_control(public)),
        );
    let server = serve(app).await;
    for _ in 0..2 {
        let never = server.get("/never").await;
        assert!(never.header("cache-control").contains("no-store") && !never.is_hit());
    }
    server.get("/public").await;
    let public = server.get("/public").await;
    assert!(public.is_hit());
    assert_eq!(public.header("cache-control"), "public, max-age=3600");
    assert_eq!(
        server.get("/own").await.header("cache-control"),
        "max-age=1"
    );
    let first = server.get("/conditional").await;
    let condition = format!("If-None-Match: {}", first.header("etag"));
    let second = server.ask("GET", "/conditional", &[&condition]).await;
    assert_eq!((second.status, second.body.as_str()), (304, ""));
    let changed = server
        .ask("GET", "/conditional", &["If-None-Match: \"x\""])
        .await;
    assert_eq!((changed.status, changed.body.as_str()), (200, "hello"));
}

#[tokio::test]
async fn what_is_never_cached_is_not_by_caches_that_are_addressed_by_name() {
    let targeted = [
        "CDN-Cache-Control",
        "Cloudflare-CDN-Cache-Control",
        "Surrogate-Control",
        "X-Accel-Expires",
    ];
    let page = move || async move { (targeted.map(|name| (name, "max-age=60")), "hello") };
    let app = Router::new().route("/", get(page).layer(never_cache()));
    let cache = TestCache::new();
    let policy = ViewPolicy::proxy().targeted(HeaderName::from_static("cdn-cache-control"));
    let server = serve(app.layer(CacheLayer::new(policy).cache(&cache))).await;
    for _ in 0..2 {
        let never = server.get("/").await;
        assert!(!never.is_hit());
        assert!(never.header("cache-control").contains("no-store"));
        for name in targeted {
            assert_eq!(never.header(name), "", "{name}");
        }
    }
}

#[tokio::test]
async fn a_stream_behind_the_conditional_layer_passes_as_it_is() {
    let handler = async || {
        let parts = stream::iter(["one ", "two"]).then(async |part| {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Bytes::from(part))
        });
        Body::from_stream(parts)
    };
    let server = serve(Router::new().route("/", get(handler).layer(conditional()))).await;
    let reply = server.get("/").await;
    assert_eq!(
        (reply.body.as_str(), reply.header("etag").as_str()),
        ("one two", "")
    );
}

#[tokio::test]
async fn a_stream_under_other_layers_is_stored_when_whole() {
    let handler = async || {
        let parts = stream::iter(0..50).then(async |n| {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Bytes::from(format!("part {n} of what is compressed, ")))
        });
        (
            [(header::CONTENT_TYPE, "text/plain")],
            Body::from_stream(parts),
        )
    };
    let cache = TestCache::new();
    let limit = || {
        let status = StatusCode::REQUEST_TIMEOUT;
        TimeoutLayer::with_status_code(status, Duration::from_secs(30))
    };
    let inside = Router::new().route("/", get(handler)).layer(layer(&cache));
    let inside = inside.layer(limit()).layer(CompressionLayer::new());
    let outside = Router::new().route("/", get(handler));
    let outside = outside.layer(CompressionLayer::new()).layer(limit());
    for app in [inside, outside.layer(layer(&cache))] {
        let server = serve(app.layer(TraceLayer::new_for_http())).await;
        for coding in [&["Accept-Encoding: gzip"][..], &[]] {
            server.ask("GET", "/", coding).await;
            let [one, two] = [
                server.ask("GET", "/", coding).await,
                server.ask("GET", "/", coding).await,
            ];
            assert!(one.is_hit() && two.is_hit(), "{one:?}");
            assert_eq!(one.body, two.body);
            let plain = one.body.ends_with("part 49 of what is compressed, ");
            assert_eq!(plain, coding.is_empty());
        }
    }
}

#[tokio::test]
async fn what_took_too_long_inside_is_not_stored() {
    let runs = Runs::default();
    let handler = async |State(runs): State<Runs>| {
        if runs.fetch_add(1, Ordering::SeqCst) == 0 {
            std::future::pending::<()>().await;
        }
        "page"
    };
    for status in [StatusCode::REQUEST_TIMEOUT, StatusCode::GATEWAY_TIMEOUT] {
        runs.store(0, Ordering::SeqCst);
        let cache = TestCache::new();
        let limit = TimeoutLayer::with_status_code(status, Duration::from_millis(50));
        let app = Router::new().route("/", get(handler)).layer(limit);
        let app = app.layer(layer(&cache)).with_state(Arc::clone(&runs));
        let server = serve(app).await;
        assert_eq!(server.get("/").await.status, status.as_u16());
        assert!(cache.is_empty());
        assert_eq!(server.get("/").await.body, "page");
        assert!(server.get("/").await.is_hit());
    }
}

/// What is told of pages behind `cache_control`, and whether a cache around that shares them.
#[tokio::test]
async fn what_is_for_one_client_is_not_told_to_be_for_all() {
    let public = header::HeaderValue::from_static("public, max-age=3600, s-maxage=9");
    let by_who_asks = async |headers: axum::http::HeaderMap| {
        let cookie = headers.get("cookie").map_or("-", |it| it.to_str().unwrap());
        format!("{cookie} {}", headers.contains_key("authorization"))
    };
    let sets = async || ([(header::SET_COOKIE, "session=1")], "page");
    let app = Router::new()
        .route("/", get(by_who_asks))
        .route("/sets", get(sets))
        .route("/fails", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/gone", get(async || StatusCode::GONE))
        .route("/login", get(async || axum::response::Redirect::to("/")))
        .route(
            "/moved",
            get(async || axum::response::Redirect::permanent("/")),
        );
    let layered = |told| app.clone().layer(told).layer(layer(&TestCache::new()));
    let server = serve(layered(cache_control(public.clone()))).await;
    let one = "private, max-age=3600";
    for who in ["Cookie: session=ada", "Authorization: Basic x"] {
        let own = server.ask("GET", "/", &[who]).await;
        assert_eq!(own.header("cache-control"), one, "{who}");
        assert!(!own.header("cache-status").contains("stored"), "{own:?}");
    }
    let all = server.get("/").await;
    assert_eq!(all.body, "- false");
    assert_eq!(all.header("cache-control"), public);
    assert_eq!(server.get("/sets").await.header("cache-control"), one);
    for of_the_moment in ["/fails", "/gone", "/login"] {
        let told = server.get(of_the_moment).await.header("cache-control");
        assert_eq!(told, "", "{of_the_moment}");
    }
    assert_eq!(server.get("/moved").await.header("cache-control"), public);

    let same = cache_control(public.clone()).for_everybody();
    let server = serve(layered(same)).await;
    let asked = server.ask("GET", "/", &["Cookie: session=ada"]).await;
    assert_eq!(asked.header("cache-control"), public);
    assert_eq!(server.get("/sets").await.header("cache-control"), one);

    // What forbids goes with errors too.
    let strict = "no-cache=\"x, y\", max-age=60, Private, no-transform, must-revalidate";
    let strict = cache_control(header::HeaderValue::from_static(strict));
    let server = serve(layered(strict)).await;
    let told = server.get("/fails").await.header("cache-control");
    assert_eq!(told, "no-cache=\"x, y\", Private, no-transform");
    let never = serve(layered(never_cache())).await;
    for path in ["/", "/fails", "/login", "/sets"] {
        let told = never.get(path).await.header("cache-control");
        assert!(told.contains("no-store"), "{path}");
    }
}

#[tokio::test]
async fn a_304_to_a_head_says_nothing_of_a_length() {
    let page = async || ([(header::ETAG, "\"a\"")], "page");
    let app = Router::new()
        .route("/", get(page))
        .layer(layer(&TestCache::new()));
    let server = serve(app).await;
    for method in ["HEAD", "GET", "HEAD"] {
        let has = ["If-None-Match: \"a\""];
        let same = server.ask(method, "/", &has).await;
        let told = (same.status, same.header("content-length"));
        assert_eq!(told, (304, String::new()), "{method}");
        let whole = server.ask(method, "/", &[]).await;
        assert_eq!(whole.header("content-length"), "4", "{method}");
    }
}
