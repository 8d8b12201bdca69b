//! Cached responses over HTTP/2, on a real socket: the same as over HTTP/1, but for bodies that come
//! unannounced and hosts that no field names.

#[path = "common/runs.rs"]
mod runs;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::{any, get};
use dewar::cached;
use dewar::http::{CacheLayer, ScopeLayer, ViewPolicy};
use dewar::testing::TestCache;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use reqwest::{Body, Client, Method, Version};
use runs::Runs;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};

/// A server that knows its clients speak HTTP/2, at two names.
struct Two {
    client: Client,
    port: u16,
}

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn is_hit(&self) -> bool {
        self.header("cache-status").starts_with("dewar; hit")
    }
}

impl Two {
    fn at(address: SocketAddr) -> Self {
        let client = Client::builder()
            .http2_prior_knowledge()
            .resolve("a.test", address)
            .resolve("b.test", address)
            .build()
            .unwrap();
        Two {
            client,
            port: address.port(),
        }
    }

    async fn serve(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self::at(address)
    }

    /// A request to a name, with a field and a body or without.
    async fn ask(
        &self,
        method: Method,
        name: &str,
        field: Option<(&str, &str)>,
        body: Option<&'static str>,
    ) -> Got {
        let url = format!("http://{name}:{}/", self.port);
        let mut request = self.client.request(method, url);
        if let Some((name, value)) = field {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            let parts = futures::stream::iter([Ok::<_, Infallible>(body)]);
            request = request.body(Body::wrap_stream(parts));
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.version(), Version::HTTP_2);
        Got {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    async fn get(&self, name: &str) -> Got {
        self.ask(Method::GET, name, None, None).await
    }

    async fn get_with(&self, field: (&str, &str)) -> Got {
        self.ask(Method::GET, "a.test", Some(field), None).await
    }
}

fn layer(cache: &TestCache) -> CacheLayer {
    let policy = ViewPolicy::new()
        .timeout(Duration::from_secs(60))
        .vary([header::ACCEPT_LANGUAGE]);
    CacheLayer::new(policy).cache(cache)
}

/// What every cached page of ten letters must do.
async fn is_cached(site: &Two) {
    let first = site.get("a.test").await;
    assert_eq!((first.status, first.body.len()), (StatusCode::OK, 10));
    let second = site.get("a.test").await;
    assert!(second.is_hit());
    assert_eq!(second.body, first.body);

    let head = site.ask(Method::HEAD, "a.test", None, None).await;
    assert!(head.is_hit());
    assert_eq!((head.header("content-length"), &*head.body), ("10", ""));

    let etag = first.header("etag");
    let same = site.get_with(("if-none-match", etag)).await;
    assert_eq!((same.status, &*same.body), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(same.header("content-length"), "");
    let part = site.get_with(("range", "bytes=2-4")).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.body, first.body[2..5]);
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    let beyond = site.get_with(("range", "bytes=10-")).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);

    let german = site.get_with(("accept-language", "de")).await;
    assert!(!german.is_hit() && german.body != first.body);
    let again = site.get_with(("accept-language", "DE")).await;
    assert!(again.is_hit());
    assert_eq!(again.body, german.body);
    assert_eq!(site.get("a.test").await.body, first.body);

    // What `:authority` says is the host.
    let other = site.get("b.test").await;
    assert!(!other.is_hit() && other.body != first.body);
    assert!(site.get("b.test").await.is_hit());
}

#[tokio::test]
async fn a_layer_does_over_http_2_what_it_does_over_http_1() {
    static RUNS: Runs = Runs::new();

    let cache = TestCache::new();
    let page = get(async || format!("run {:06}", RUNS.next()));
    let site = Two::serve(Router::new().route("/", page).layer(layer(&cache))).await;
    is_cached(&site).await;
    assert_eq!(RUNS.count(), 3);
}

#[tokio::test]
async fn a_view_does_over_http_2_what_it_does_over_http_1() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, vary("accept-language"))]
    async fn page() -> String {
        format!("run {:06}", RUNS.next())
    }

    let cache = TestCache::new();
    let app = Router::new().route("/", get(page));
    let site = Two::serve(app.layer(ScopeLayer::new(&cache))).await;
    is_cached(&site).await;
    assert_eq!(RUNS.count(), 3);
}

async fn echo(headers: HeaderMap, body: Bytes) -> Bytes {
    assert!(!headers.contains_key(header::CONTENT_LENGTH));
    body
}

#[tokio::test]
async fn a_body_that_comes_unannounced_goes_past_the_cache() {
    let cache = TestCache::new();
    let app = Router::new().route("/", any(echo));
    let site = Two::serve(app.layer(layer(&cache))).await;
    for body in [Some("evil"), None, Some("evil"), Some("good"), None] {
        let got = site.ask(Method::GET, "a.test", None, body).await;
        assert_eq!(got.body, body.unwrap_or_default());
    }
    assert_eq!(cache.stats().bypassed, 3);
    assert!(site.get("a.test").await.is_hit());
}

#[tokio::test]
async fn a_request_that_names_another_host_besides_goes_past_the_cache() {
    let cache = TestCache::new();
    let app = Router::new().route("/", get(async |headers: HeaderMap| format!("{headers:?}")));
    let site = Two::serve(app.layer(layer(&cache))).await;
    for _ in 0..2 {
        let got = site.get_with(("host", "evil.test")).await;
        assert!(got.body.contains("evil.test") && !got.is_hit());
    }
    assert!(cache.is_empty());
    assert!(!site.get("a.test").await.body.contains("evil.test"));
}

/// A server without axum: what is echoed is the body.
async fn without_axum(cache: &TestCache, layer: CacheLayer) -> Two {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = service_fn(async |request: Request<Incoming>| {
        let body = request.into_body().collect().await;
        let body = body.map_or_else(|_| Bytes::new(), |body| body.to_bytes());
        Ok::<_, Infallible>(Response::new(axum::body::Body::from(body)))
    });
    let service = layer.cache(cache).layer(echo);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone().boxed_clone());
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    Two::at(address)
}

#[tokio::test]
async fn what_is_known_of_a_servers_bodies_is_what_the_layer_is_told() {
    let cache = TestCache::new();
    let untold = without_axum(&cache, layer(&cache)).await;
    for _ in 0..2 {
        let got = untold.get("a.test").await;
        assert_eq!(
            got.header("cache-status"),
            "dewar; fwd=bypass; fwd-status=200"
        );
    }
    let told = without_axum(&cache, layer(&cache).request_body::<Incoming>()).await;
    for body in [Some("evil"), None, Some("good"), None] {
        let got = told.ask(Method::GET, "a.test", None, body).await;
        assert_eq!(got.body, body.unwrap_or_default());
    }
    assert!(told.get("a.test").await.is_hit());
}

#[tokio::test]
async fn a_status_without_content_says_nothing_of_its_length() {
    let tag = || [(header::ETAG, "\"a\"")];
    let private = || [(header::CACHE_CONTROL, "private")];
    let apps = [
        ("stored", get(async move || (tag(), "page")), true),
        (
            "not stored",
            get(async move || (tag(), private(), "page")),
            true,
        ),
        (
            "judged without a cache",
            get(async move || (tag(), "page")),
            false,
        ),
    ];
    for (what, page, cached) in apps {
        let app = Router::new().route("/", page);
        let app = match cached {
            true => app.layer(layer(&TestCache::new())),
            false => app.layer(dewar::http::conditional()),
        };
        let site = Two::serve(app).await;
        for method in [Method::GET, Method::HEAD, Method::GET] {
            let has = Some(("if-none-match", "\"a\""));
            let same = site.ask(method.clone(), "a.test", has, None).await;
            let told = (same.status, same.header("content-length"));
            assert_eq!(told, (StatusCode::NOT_MODIFIED, ""), "{what} {method}");
        }
    }
    let nothing = get(async || StatusCode::NO_CONTENT);
    let site = Two::serve(
        Router::new()
            .route("/", nothing)
            .layer(layer(&TestCache::new())),
    )
    .await;
    for method in [Method::GET, Method::GET, Method::HEAD] {
        let none = site.ask(method.clone(), "a.test", None, None).await;
        let told = (none.status, none.header("content-length"));
        assert_eq!(told, (StatusCode::NO_CONTENT, ""), "{method}");
    }
}
