//! Instances of one application on one store: each has a cache of its own, which stands for a process.
#![allow(
    dead_code,
    reason = "every test is a crate of its own and uses a part of this"
)]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use dewar::Cache;
use dewar::store::Store;
use dewar::testing::TestCache;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn is_hit(&self) -> bool {
        self.header("cache-status").contains("; hit")
    }
}

/// An instance of an application: a cache of its own, and its routes.
pub(crate) struct Instance {
    pub(crate) cache: TestCache,
    pub(crate) router: Router,
}

impl Instance {
    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "shop.test");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let call = self.router.clone().oneshot(request);
        let response = self.cache.run_async(call).await.unwrap();
        let (head, body) = response.into_parts();
        let body = self.cache.run_async(body.collect()).await.unwrap();
        Reply {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes().to_vec(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, &[]).await
    }
}

/// Two instances of one application on one store.
pub(crate) fn two(
    store: &(impl Store + Clone + 'static),
    router: impl Fn() -> Router,
) -> [Instance; 2] {
    [(); 2].map(|()| instance(store, &router, Duration::from_secs(5)))
}

/// One whose memory serves copies for so long where nothing is heard.
pub(crate) fn instance(
    store: &(impl Store + Clone + 'static),
    router: impl Fn() -> Router,
    copies: Duration,
) -> Instance {
    let builder = Cache::builder()
        .shared(store.clone())
        .memory_copies(copies)
        .default_timeout(Duration::from_secs(60));
    Instance {
        cache: TestCache::with(builder).unwrap(),
        router: router(),
    }
}
