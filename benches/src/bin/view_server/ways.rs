//! The same two pages, behind each cache.

use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use http_body_util::Full;
use tower::ServiceBuilder;

const HOUR: Duration = Duration::from_secs(3_600);

static SMALL: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![b'x'; 1 << 10]));
static LARGE: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![b'x'; 64 << 10]));

async fn small() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain")], SMALL.clone())
}

async fn large() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain")], LARGE.clone())
}

#[dewar::cached(view, timeout = 3600)]
async fn small_view() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain")], SMALL.clone())
}

#[dewar::cached(view, timeout = 3600)]
async fn large_view() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain")], LARGE.clone())
}

fn pages() -> Router {
    Router::new()
        .route("/1k", get(small))
        .route("/64k", get(large))
}

/// The pages in this way; none of that name.
pub(crate) fn router(way: &str) -> Option<Router> {
    Some(match way {
        "plain" => pages(),
        "view" => Router::new()
            .route("/1k", get(small_view))
            .route("/64k", get(large_view)),
        "layer" => {
            let policy = dewar::http::ViewPolicy::new().timeout(HOUR);
            pages().layer(dewar::http::CacheLayer::new(policy))
        }
        "axum-response-cache" => {
            pages().layer(axum_response_cache::CacheLayer::with_lifespan(HOUR))
        }
        "tower-http-cache" => tower_http_cache(),
        _ => return None,
    })
}

/// Its errors are not axum's and it takes none of axum's bodies, so it stands around a service and
/// not on a router.
fn tower_http_cache() -> Router {
    use tower_http_cache::prelude::{CacheLayer, InMemoryBackend};

    let layer = CacheLayer::builder(InMemoryBackend::new(1_000))
        .ttl(HOUR)
        .build();
    let failed = HandleErrorLayer::new(async |_| StatusCode::INTERNAL_SERVER_ERROR);
    let service = ServiceBuilder::new().layer(failed).layer(layer).service_fn(
        async |request: Request<Body>| {
            let small = request.uri().path() == "/1k";
            let body = if small { &SMALL } else { &LARGE };
            Response::builder()
                .header(CONTENT_TYPE, "text/plain")
                .body(Full::new(Bytes::clone(body)))
        },
    );
    Router::new().fallback_service(service)
}
