//! `CacheLayer`: whoever waits for a load waits for its own variant of the page.
#![cfg(feature = "axum")]

#[path = "common/web.rs"]
mod web;

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dewar::http::{CacheLayer, ViewPolicy};
use dewar::testing::TestCache;
use futures::{StreamExt, stream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use web::{Reply, Runs, Server, layer, serve, until};

/// A page in several languages. The English one is answered when `head` says so, and whole when `end`
/// does; of the others each one takes a turn of `head`.
#[derive(Clone, Default)]
struct Site {
    runs: Arc<Mutex<Vec<String>>>,
    head: Arc<Notify>,
    end: Arc<Notify>,
}

impl Site {
    async fn page(self, headers: HeaderMap) -> Response {
        let language = headers["accept-language"].to_str().unwrap().to_owned();
        self.runs.lock().unwrap().push(language.clone());
        self.head.notified().await;
        let vary = [(header::VARY, "accept-language")];
        if language != "en" {
            return (vary, language).into_response();
        }
        let length = [(header::CONTENT_LENGTH, "8")];
        let end = self.end;
        let parts = stream::iter(["half", "half"]).enumerate();
        let parts = parts.then(move |(n, part)| {
            let end = Arc::clone(&end);
            async move {
                if n > 0 {
                    end.notified().await;
                }
                Ok::<_, Infallible>(part)
            }
        });
        (vary, length, Body::from_stream(parts)).into_response()
    }

    async fn serve(&self, layer: CacheLayer) -> Server {
        let site = self.clone();
        let page = move |headers| site.clone().page(headers);
        serve(Router::new().route("/", get(page)).layer(layer)).await
    }

    fn runs(&self) -> Vec<String> {
        self.runs.lock().unwrap().clone()
    }
}

fn ask(server: Server, language: &'static str) -> JoinHandle<Reply> {
    let header = match language {
        "en" => "Accept-Language: en",
        _ => "Accept-Language: de",
    };
    tokio::spawn(async move { server.ask("GET", "/", &[header]).await })
}

async fn body(reply: JoinHandle<Reply>) -> String {
    let reply = timeout(Duration::from_secs(10), reply).await;
    reply.expect("nothing holds it").unwrap().body
}

#[tokio::test]
async fn another_variant_is_let_go_by_the_head_and_loaded_once() {
    let (site, cache) = (Site::default(), TestCache::new());
    let server = site.serve(layer(&cache)).await;
    let english = ask(server, "en");
    until(|| site.runs().len() == 1).await;
    let same = ask(server, "en");
    let others = [ask(server, "de"), ask(server, "de"), ask(server, "de")];
    until(|| cache.stats().coalesced == 4).await;
    site.head.notify_one();
    // One of them; the two others wait for it.
    let two = timeout(Duration::from_secs(10), until(|| site.runs().len() == 2));
    two.await.expect("the head has said that it is not theirs");
    site.head.notify_one();
    for other in others {
        assert_eq!(body(other).await, "de");
    }
    assert!(!english.is_finished());
    site.end.notify_one();
    assert_eq!(body(english).await, "halfhalf");
    assert_eq!(body(same).await, "halfhalf");
    assert_eq!(site.runs(), ["en", "de"]);
}

#[tokio::test]
async fn variants_that_the_policy_tells_apart_do_not_wait_at_all() {
    let (site, cache) = (Site::default(), TestCache::new());
    let policy = ViewPolicy::new()
        .timeout(Duration::from_secs(60))
        .vary([header::ACCEPT_LANGUAGE]);
    let server = site.serve(CacheLayer::new(policy).cache(&cache)).await;
    let english = ask(server, "en");
    until(|| site.runs().len() == 1).await;
    let other = ask(server, "de");
    let two = timeout(Duration::from_secs(10), until(|| site.runs().len() == 2));
    two.await.expect("its own load");
    site.head.notify_waiters();
    assert_eq!(body(other).await, "de");
    site.end.notify_one();
    assert_eq!(body(english).await, "halfhalf");
    assert_eq!(cache.stats().coalesced, 0);
}

#[tokio::test]
async fn variants_that_were_seen_before_do_not_wait_for_each_other() {
    let (site, cache) = (Site::default(), TestCache::new());
    let server = site.serve(layer(&cache)).await;
    for language in ["de", "en"] {
        let first = ask(server, language);
        site.head.notify_one();
        site.end.notify_one();
        body(first).await;
    }
    cache.advance(Duration::from_secs(61));
    let english = ask(server, "en");
    until(|| site.runs().len() == 3).await;
    let other = ask(server, "de");
    let four = timeout(Duration::from_secs(10), until(|| site.runs().len() == 4));
    four.await.expect("its own load");
    site.head.notify_waiters();
    assert_eq!(body(other).await, "de");
    site.end.notify_one();
    assert_eq!(body(english).await, "halfhalf");
}

#[tokio::test]
async fn what_is_private_lets_all_go_by_its_head() {
    let (runs, head) = (Runs::default(), Arc::new(Notify::new()));
    let (counted, held) = (Arc::clone(&runs), Arc::clone(&head));
    let page = move || {
        let (runs, head) = (Arc::clone(&counted), Arc::clone(&held));
        async move {
            let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
            head.notified().await;
            let control = [(header::CACHE_CONTROL, "private")];
            let text = match run {
                1 => Body::from_stream(stream::pending::<Result<&str, Infallible>>()),
                _ => Body::from("own"),
            };
            (control, text)
        }
    };
    let cache = TestCache::new();
    let server = serve(Router::new().route("/", get(page)).layer(layer(&cache))).await;
    let _first = ask(server, "en");
    until(|| runs.load(Ordering::SeqCst) == 1).await;
    let second = ask(server, "en");
    until(|| cache.stats().coalesced == 1).await;
    head.notify_one();
    head.notify_one();
    let both = timeout(
        Duration::from_secs(10),
        until(|| runs.load(Ordering::SeqCst) == 2),
    );
    both.await.expect("let go by the head");
    head.notify_one();
    assert_eq!(body(second).await, "own");
}
