//! A service behind a `CacheLayer`, in process and with a clock that is moved by hand.
#![allow(
    dead_code,
    reason = "every test is a crate of its own and uses a part of this"
)]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dewar::http::{CacheLayer, CacheService, ViewBody, ViewPolicy};
use dewar::testing::TestCache;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

pub(crate) type Handler = BoxCloneSyncService<Request<()>, Response<Full<Bytes>>, Infallible>;

/// A service behind a layer, and how often its handler ran.
pub(crate) struct Site {
    pub(crate) cache: TestCache,
    pub(crate) layer: CacheLayer,
    pub(crate) service: CacheService<Handler>,
    pub(crate) runs: Arc<AtomicU32>,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// The handler answers with what `answer` makes of the request and the number of the run.
pub(crate) fn site(
    policy: ViewPolicy,
    answer: impl Fn(&Request<()>, u32) -> Response<Full<Bytes>> + Send + Sync + Clone + 'static,
) -> Site {
    site_on(TestCache::new(), policy, answer)
}

/// The same with this cache.
pub(crate) fn site_on(
    cache: TestCache,
    policy: ViewPolicy,
    answer: impl Fn(&Request<()>, u32) -> Response<Full<Bytes>> + Send + Sync + Clone + 'static,
) -> Site {
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

pub(crate) fn text(run: u32) -> Response<Full<Bytes>> {
    Response::new(Full::new(Bytes::from(format!("run {run}"))))
}

pub(crate) fn with(run: u32, fields: &[(&'static str, &'static str)]) -> Response<Full<Bytes>> {
    let mut response = text(run);
    for (name, value) in fields {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}

impl Site {
    pub(crate) async fn send(&self, request: Request<()>) -> Reply {
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

    pub(crate) async fn ask(&self, method: Method, uri: &str, fields: &[(&str, &str)]) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "shop.test");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        self.send(request.body(()).unwrap()).await
    }

    pub(crate) async fn get(&self, uri: &str) -> Reply {
        self.ask(Method::GET, uri, &[]).await
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.cache.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

pub(crate) fn minute() -> ViewPolicy {
    ViewPolicy::new().timeout(Duration::from_secs(60))
}
