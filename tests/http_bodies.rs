//! `CacheLayer` on axum routers: what the body of a response says of its length, and bodies that have
//! no end, or end in a panic.
#![cfg(feature = "axum")]

#[path = "common/web.rs"]
mod web;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use dewar::http::{CacheLayer, ViewPolicy};
use dewar::testing::TestCache;
use futures::{StreamExt, stream};
use http_body::{Frame, SizeHint};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use web::{Runs, Server, layer, read_until, serve, until};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

/// A server with one handler behind a layer, and the cache of that.
async fn site(answer: impl Fn(u32) -> Response + Clone + Send + Sync + 'static) -> Site {
    let (runs, cache) = (Runs::default(), TestCache::new());
    let counted = Arc::clone(&runs);
    let handler = move || {
        let run = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let response = answer(run);
        async { response }
    };
    let app = Router::new().route("/", any(handler)).layer(layer(&cache));
    let server = serve(app).await;
    Site {
        server,
        cache,
        runs,
    }
}

struct Site {
    server: Server,
    cache: TestCache,
    runs: Runs,
}

#[tokio::test]
async fn what_is_not_stored_keeps_its_length() {
    let private = || [(header::CACHE_CONTROL, "private")];
    let site = site(move |_| (private(), "page").into_response()).await;
    for method in ["GET", "HEAD", "POST"] {
        let reply = site.server.ask(method, "/", &[]).await;
        let said = ["content-length", "transfer-encoding"].map(|name| reply.header(name));
        assert_eq!(said, ["4", ""], "{method}");
    }
    assert!(site.cache.is_empty());
}

/// Never has more than the first piece.
struct Long(bool);

impl http_body::Body for Long {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"first")))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(1000)
    }
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_long_is_not_read_ahead() {
    let cache = TestCache::new();
    let policy = ViewPolicy::new()
        .timeout(Duration::from_secs(60))
        .body_limit(999);
    let layer = CacheLayer::new(policy).cache(&cache);
    let handler = async || Body::new(Long(false));
    let app = Router::new().route("/", any(handler)).layer(layer);
    let server = serve(app).await;
    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    let seen = read_until(&mut client, "first").await;
    assert!(seen.contains("content-length: 1000"), "{seen}");
}

#[tokio::test]
async fn a_length_in_the_header_counts_too() {
    for (length, stored) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let site = site(move |_| {
            let first = stream::iter([Ok::<_, Infallible>("first")]);
            let body = Body::from_stream(first.chain(stream::pending()));
            ([(header::CONTENT_LENGTH, length)], body).into_response()
        });
        let site = site.await;
        let mut client = site.server.connect().await;
        client.write_all(GET).await.unwrap();
        let seen = read_until(&mut client, "first").await;
        assert_eq!(seen.contains("; stored"), stored, "{seen}");
    }
}

/// Says that it is longer than it is.
struct Short(Option<Bytes>);

impl http_body::Body for Short {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(10)
    }
}

#[tokio::test]
async fn a_body_shorter_than_it_says_is_not_stored() {
    let short = || Body::new(Short(Some(Bytes::from_static(b"whole"))));
    let site = site(move |_| short().into_response()).await;
    for run in 1..3 {
        site.server.get("/").await;
        assert_eq!(site.runs.load(Ordering::SeqCst), run);
    }
    assert!(site.cache.is_empty());
}

#[tokio::test]
async fn a_feed_without_end_has_any_number_of_listeners() {
    let site = site(|_| {
        let part = stream::iter([Ok::<_, Infallible>("line 1\n")]);
        Body::from_stream(part.chain(stream::pending())).into_response()
    });
    let site = site.await;
    let mut listeners = Vec::new();
    for n in 0..4 {
        let mut client = site.server.connect().await;
        client.write_all(GET).await.unwrap();
        if n == 1 {
            // It might have an end.
            until(|| site.cache.stats().coalesced == 1).await;
            site.cache.advance(Duration::from_secs(2));
        }
        read_until(&mut client, "line 1").await;
        listeners.push(client);
    }
    assert_eq!(site.cache.stats().coalesced, 1);
    assert!(site.cache.is_empty());
}

/// A page in two pieces, the second not at once.
fn in_pieces(run: u32) -> Response {
    let pieces = stream::iter(["page", "."]).then(move |end| async move {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(format!("{end} {run}"))
    });
    Body::from_stream(pieces).into_response()
}

#[tokio::test]
async fn who_has_a_page_that_comes_in_pieces_is_told_so_and_it_is_stored() {
    let site = site(|run| {
        let fields = [
            (header::ETAG, "\"a\""),
            (header::LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (header::CACHE_CONTROL, "max-age=60"),
        ];
        (fields, in_pieces(run)).into_response()
    });
    let site = site.await;
    for (run, condition) in [
        "If-None-Match: \"a\"",
        "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    ]
    .iter()
    .enumerate()
    {
        let same = site.server.ask("GET", "/", &[condition]).await;
        assert_eq!((same.status, &*same.body), (304, ""), "{condition}");
        assert_eq!(same.header("cache-control"), "max-age=60");
        until(|| !site.cache.is_empty()).await;
        let hit = site.server.get("/").await;
        let page = format!("page {n}. {n}", n = run + 1);
        assert_eq!((hit.is_hit(), hit.body), (true, page), "{condition}");
        site.cache.clear();
        site.cache.sweep();
    }
    let changed = ["If-None-Match: \"b\""];
    let whole = site.server.ask("GET", "/", &changed).await;
    assert_eq!((whole.status, &*whole.body), (200, "page 3. 3"));
}

#[tokio::test]
async fn a_page_in_pieces_is_told_from_the_next_one_of_the_same_second() {
    let site = site(in_pieces).await;
    let first = site.server.get("/").await;
    assert_eq!(first.body, "page 1. 1");
    site.cache.clear();
    assert_eq!(site.server.get("/").await.body, "page 2. 2");
    // What a browser asks that has the first.
    let conditions = [
        ("If-None-Match", first.header("etag")),
        ("If-Modified-Since", first.header("last-modified")),
    ];
    let conditions = conditions
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}: {value}"));
    let conditions: Vec<String> = conditions.collect();
    let conditions: Vec<&str> = conditions.iter().map(String::as_str).collect();
    let news = site.server.ask("GET", "/", &conditions).await;
    assert!(news.is_hit());
    assert_eq!((news.status, &*news.body), (200, "page 2. 2"));
}

#[tokio::test]
async fn a_body_that_panics_is_cut_short_for_its_client_alone() {
    let go = Arc::new(Notify::new());
    let held = Arc::clone(&go);
    let site = site(move |run| {
        if run > 1 {
            return "whole".into_response();
        }
        let go = Arc::clone(&held);
        let pieces = stream::iter(0..2).then(move |n| {
            let go = Arc::clone(&go);
            async move {
                if n == 1 {
                    go.notified().await;
                    panic!("in the middle of a body");
                }
                Ok::<_, Infallible>("first")
            }
        });
        Body::from_stream(pieces).into_response()
    });
    let site = site.await;
    let mut client = site.server.connect().await;
    client.write_all(GET).await.unwrap();
    read_until(&mut client, "first").await;
    let server = site.server;
    let waiter = tokio::spawn(async move { server.get("/").await });
    until(|| site.cache.stats().coalesced == 1).await;
    go.notify_one();
    assert_eq!(waiter.await.unwrap().body, "whole");
    assert_eq!(server.get("/").await.body, "whole");
}
