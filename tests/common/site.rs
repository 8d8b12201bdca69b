//! An axum application on a real socket, and a client that asks it.
#![allow(
    dead_code,
    reason = "every test is a crate of its own and uses a part of this"
)]

use std::time::Duration;

use axum::Router;
use dewar::http::ScopeLayer;
use dewar::testing::TestCache;
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Client, Method};

#[path = "runs.rs"]
mod runs;
pub(crate) use runs::Runs;

/// An application with a cache of its own, whose clock the test moves.
pub(crate) struct Site {
    pub(crate) cache: TestCache,
    pub(crate) address: String,
    client: Client,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Got {
    /// A header as text; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Whether it came out of the cache.
    pub(crate) fn is_hit(&self) -> bool {
        self.header("cache-status").starts_with("dewar; hit")
    }
}

/// Serves an application until the test ends.
pub(crate) async fn serve(app: Router) -> Site {
    let cache = TestCache::new();
    let address = listen(app.layer(ScopeLayer::new(&cache))).await;
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    Site {
        cache,
        address,
        client,
    }
}

pub(crate) async fn listen(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

impl Site {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.cache.advance(Duration::from_secs(seconds));
    }

    /// Any request.
    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Got {
        let mut request = self.client.request(method, self.url(path));
        for (name, value) in headers {
            request = request.header(HeaderName::try_from(*name).unwrap(), *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.unwrap();
        Got {
            status,
            headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.ask(Method::GET, path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Got {
        self.ask(Method::GET, path, headers).await
    }
}

/// The same request twice.
pub(crate) async fn twice(site: &Site, path: &str, headers: &[(&str, &str)]) -> (Got, Got) {
    let first = site.get_with(path, headers).await;
    (first, site.get_with(path, headers).await)
}

/// Waits until something has happened on the server.
pub(crate) async fn until(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if happened() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}
