//! `CacheLayer` on axum routers: loads that several clients share, and bodies that do not come at once.
#![cfg(feature = "axum")]

#[path = "common/web.rs"]
mod web;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use dewar::http::{CacheLayer, ViewPolicy};
use dewar::testing::TestCache;
use futures::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use web::{Reply, Runs, Server, layer, read_until, serve, until};

#[tokio::test]
async fn a_stream_reaches_the_client_as_it_comes_and_is_stored_when_whole() {
    let go = Arc::new(Notify::new());
    let runs = Runs::default();
    let handler = {
        let (go, runs) = (Arc::clone(&go), Arc::clone(&runs));
        move || {
            runs.fetch_add(1, Ordering::SeqCst);
            let parts = stream::iter(["first ", "second"]).enumerate();
            let go = Arc::clone(&go);
            let parts = parts.then(move |(n, part)| {
                let go = Arc::clone(&go);
                async move {
                    if n > 0 {
                        go.notified().await;
                    }
                    Ok::<_, Infallible>(part)
                }
            });
            async { Body::from_stream(parts) }
        }
    };
    let cache = TestCache::new();
    let server = serve(Router::new().route("/", get(handler)).layer(layer(&cache))).await;
    let mut stream = server.connect().await;
    let request = b"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut seen = read_until(&mut stream, "first").await;
    assert!(!seen.contains("second"));
    assert!(cache.is_empty());
    // Another one waits for what is under way.
    let waiter = tokio::spawn(async move { server.get("/").await });
    while cache.stats().coalesced == 0 {
        tokio::task::yield_now().await;
    }
    go.notify_one();
    let waiter = waiter.await.unwrap();
    assert_eq!(waiter.body, "first second");
    assert!(
        waiter.header("cache-status").contains("collapsed"),
        "{waiter:?}"
    );
    stream.read_to_string(&mut seen).await.unwrap();
    assert!(seen.contains("second"));
    assert_eq!(server.get("/").await.body, "first second");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_that_turns_out_too_long_streams_on_unstored() {
    let handler = async || {
        let parts = stream::iter(0..100).map(|_| Ok::<_, Infallible>("0123456789"));
        Body::from_stream(parts)
    };
    let cache = TestCache::new();
    let policy = ViewPolicy::new()
        .timeout(Duration::from_secs(60))
        .body_limit(500);
    let layer = CacheLayer::new(policy).cache(&cache);
    let server = serve(Router::new().route("/", get(handler)).layer(layer)).await;
    for _ in 0..2 {
        let reply = server.get("/").await;
        assert_eq!(reply.body, "0123456789".repeat(100));
        assert!(!reply.is_hit());
    }
    assert!(cache.is_empty());
}

#[tokio::test]
async fn events_and_upgrades_pass_untouched() {
    let events = async || {
        let events = stream::iter([Ok::<_, Infallible>(Event::default().data("one"))]);
        Sse::new(events.chain(stream::pending()))
    };
    let upgrade = async || {
        (
            StatusCode::SWITCHING_PROTOCOLS,
            [(header::UPGRADE, "echo")],
            "",
        )
    };
    let cache = TestCache::new();
    let app = Router::new()
        .route("/events", get(events))
        .route("/upgrade", get(upgrade))
        .layer(layer(&cache));
    let server = serve(app).await;
    let mut stream = server.connect().await;
    let request = b"GET /events HTTP/1.1\r\nHost: shop.test\r\n\r\n";
    stream.write_all(request).await.unwrap();
    read_until(&mut stream, "data: one").await;
    let upgrade = ["Connection: upgrade", "Upgrade: echo"];
    let mut stream = server.connect().await;
    let request = format!(
        "GET /upgrade HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n",
        upgrade.join("\r\n")
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = [0; 64];
    let read = stream.read(&mut bytes).await.unwrap();
    assert!(bytes[..read].starts_with(b"HTTP/1.1 101"));
    assert!(cache.is_empty());
}

/// A handler that waits to be let go, behind a layer.
struct Held {
    cache: TestCache,
    server: Server,
    runs: Runs,
    go: Arc<Notify>,
}

impl Held {
    /// With the response to its nth run.
    async fn serve(answer: impl Fn(u32) -> Response + Clone + Send + Sync + 'static) -> Self {
        let policy = ViewPolicy::new().timeout(Duration::from_secs(60));
        Self::behind(CacheLayer::new(policy), answer).await
    }

    /// The same behind a layer of this kind.
    async fn behind(
        layer: CacheLayer,
        answer: impl Fn(u32) -> Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let (go, runs, cache) = (Arc::new(Notify::new()), Runs::default(), TestCache::new());
        let (held, counted) = (Arc::clone(&go), Arc::clone(&runs));
        let handler = move || {
            let (go, runs, answer) = (Arc::clone(&held), Arc::clone(&counted), answer.clone());
            async move {
                let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
                go.notified().await;
                answer(run)
            }
        };
        let layer = layer.cache(&cache);
        let server = serve(Router::new().route("/", any(handler)).layer(layer)).await;
        Held {
            cache,
            server,
            runs,
            go,
        }
    }

    /// Clients that ask at once.
    fn ask(&self, clients: usize, headers: &'static [&'static str]) -> Vec<JoinHandle<Reply>> {
        let server = self.server;
        let ask = |_| tokio::spawn(async move { server.ask("GET", "/", headers).await });
        (0..clients).map(ask).collect()
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }

    fn waiting(&self) -> u64 {
        self.cache.stats().coalesced
    }
}

async fn bodies(asked: Vec<JoinHandle<Reply>>) -> Vec<String> {
    let mut bodies = Vec::new();
    for reply in asked {
        bodies.push(reply.await.unwrap().body);
    }
    bodies.sort();
    bodies
}

#[tokio::test]
async fn many_misses_at_once_run_the_handler_once() {
    let site = Held::serve(|run| format!("run {run}").into_response()).await;
    let asked = site.ask(10, &[]);
    until(|| site.waiting() == 9).await;
    site.go.notify_one();
    assert_eq!(bodies(asked).await, ["run 1"; 10]);
    assert_eq!(site.runs(), 1);
}

#[tokio::test]
async fn after_a_panic_one_of_those_who_wait_runs_the_handler() {
    let site = Held::serve(|run| {
        assert!(run > 2, "the handler fails");
        format!("run {run}").into_response()
    });
    let site = site.await;
    let asked = site.ask(5, &[]);
    until(|| site.waiting() == 4).await;
    for run in 1..4 {
        until(|| site.runs() >= run).await;
        // The others have been woken, and wait for this one.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(site.runs(), run);
        site.go.notify_one();
    }
    let bodies = bodies(asked).await;
    assert_eq!(bodies, ["", "", "run 3", "run 3", "run 3"]);
    assert_eq!((site.runs(), site.waiting()), (3, 4));
}

#[tokio::test]
async fn a_condition_of_one_clients_own_is_no_sign_that_others_wait_in_vain() {
    let site = Held::behind(CacheLayer::new(ViewPolicy::proxy()), |run| {
        let fresh = [(header::CACHE_CONTROL, "max-age=60")];
        match run {
            1 => StatusCode::NOT_MODIFIED.into_response(),
            _ => (fresh, format!("run {run}")).into_response(),
        }
    });
    let site = site.await;
    let own = site.ask(1, &["If-None-Match: \"a\""]);
    site.go.notify_one();
    assert_eq!(own.into_iter().next().unwrap().await.unwrap().status, 304);
    let others = site.ask(3, &[]);
    until(|| site.waiting() == 2 || site.runs() > 2).await;
    assert_eq!((site.waiting(), site.runs()), (2, 2));
    site.go.notify_one();
    assert_eq!(bodies(others).await, ["run 2"; 3]);
}

#[tokio::test]
async fn what_one_client_has_asked_in_a_strange_way_is_no_sign_that_others_wait_in_vain() {
    for status in [
        StatusCode::BAD_REQUEST,
        StatusCode::NOT_ACCEPTABLE,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    ] {
        let site = Held::serve(move |run| match run {
            1 | 3 => status.into_response(),
            _ => format!("run {run}").into_response(),
        });
        let site = site.await;
        let own = site.ask(1, &["Accept: x/y"]);
        until(|| site.runs() == 1).await;
        let others = site.ask(4, &[]);
        until(|| site.waiting() == 4).await;
        site.go.notify_one();
        for reply in own {
            assert_eq!(reply.await.unwrap().status, status);
        }
        // One of those who waited leads the others.
        until(|| site.runs() >= 2).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(site.runs(), 2, "{status}");
        site.go.notify_waiters();
        assert_eq!(bodies(others).await, ["run 2"; 4], "{status}");
        site.cache.clear();
        // Nor does it count after it has been answered.
        let own = site.ask(1, &["Accept: x/y"]);
        until(|| site.runs() == 3).await;
        site.go.notify_one();
        bodies(own).await;
        let waited = site.waiting();
        let others = site.ask(3, &[]);
        until(|| site.waiting() == waited + 2 || site.runs() > 4).await;
        assert_eq!((site.waiting(), site.runs()), (waited + 2, 4), "{status}");
        site.go.notify_waiters();
        assert_eq!(bodies(others).await, ["run 4"; 3], "{status}");
    }
}

fn private(run: u32) -> Response {
    ([(header::CACHE_CONTROL, "private")], format!("run {run}")).into_response()
}

#[tokio::test]
async fn nobody_is_given_a_response_that_proved_private() {
    let site = Held::serve(private).await;
    let asked = site.ask(5, &[]);
    until(|| site.waiting() == 4).await;
    site.go.notify_one();
    // Now each of the others runs the handler for itself, side by side.
    until(|| site.runs() == 5).await;
    for _ in 0..4 {
        site.go.notify_one();
        tokio::task::yield_now().await;
    }
    site.go.notify_waiters();
    let expected = ["run 1", "run 2", "run 3", "run 4", "run 5"];
    assert_eq!(bodies(asked).await, expected);
}

#[tokio::test]
async fn what_proved_private_is_not_waited_for_the_next_time() {
    let site = Held::serve(private).await;
    site.go.notify_one();
    site.server.get("/").await;
    let asked = site.ask(3, &[]);
    // All of them at once, none after another.
    until(|| site.runs() == 4).await;
    site.go.notify_waiters();
    assert_eq!(bodies(asked).await, ["run 2", "run 3", "run 4"]);
    assert_eq!(site.waiting(), 0);
}

#[tokio::test]
async fn a_body_that_turns_out_too_long_makes_nobody_wait_in_a_row() {
    let policy = ViewPolicy::new().timeout(Duration::from_secs(60));
    let layer = CacheLayer::new(policy.body_limit(500));
    let site = Held::behind(layer, |_| {
        let parts = stream::iter(0..100).map(|_| Ok::<_, Infallible>("0123456789"));
        Body::from_stream(parts).into_response()
    });
    let site = site.await;
    let asked = site.ask(5, &[]);
    until(|| site.waiting() == 4).await;
    site.go.notify_one();
    until(|| site.runs() == 5).await;
    site.go.notify_waiters();
    assert_eq!(bodies(asked).await, vec!["0123456789".repeat(100); 5]);
    // Nor the next time.
    let asked = site.ask(3, &[]);
    until(|| site.runs() == 8).await;
    site.go.notify_waiters();
    assert_eq!(bodies(asked).await.len(), 3);
    assert_eq!(site.waiting(), 4);
    assert!(site.cache.is_empty());
}

#[tokio::test]
async fn what_is_to_be_asked_after_each_time_is_not_waited_for() {
    for control in [
        "no-cache",
        "max-age=0",
        "max-age=60, no-cache",
        "s-maxage=0",
    ] {
        let site = Held::serve(move |run| {
            let fields = [(header::CACHE_CONTROL, control), (header::ETAG, "\"a\"")];
            (fields, format!("run {run}")).into_response()
        });
        let site = site.await;
        site.go.notify_one();
        site.server.get("/").await;
        assert_eq!(site.cache.len(), 1, "{control}");
        let asked = site.ask(3, &[]);
        until(|| site.runs() + site.waiting() as u32 == 4).await;
        assert_eq!((site.runs(), site.waiting()), (4, 0), "{control}");
        site.go.notify_waiters();
        assert_eq!(bodies(asked).await, ["run 2", "run 3", "run 4"]);
    }
}

#[tokio::test]
async fn who_wants_nothing_stored_takes_the_load_from_nobody() {
    let site = Held::serve(|run| format!("run {run}").into_response()).await;
    let apart = site.ask(1, &["Cache-Control: no-store"]);
    until(|| site.runs() == 1).await;
    // The others wait for one of theirs.
    let others = site.ask(3, &[]);
    until(|| site.waiting() == 2).await;
    assert_eq!(site.runs(), 2);
    site.go.notify_waiters();
    assert_eq!(bodies(apart).await, ["run 1"]);
    assert_eq!(bodies(others).await, ["run 2"; 3]);
    site.cache.clear();
    // Nor is it remembered as one that is of use to nobody.
    let others = site.ask(2, &[]);
    until(|| site.waiting() == 3).await;
    site.go.notify_one();
    assert_eq!(bodies(others).await, ["run 3"; 2]);
}

#[tokio::test]
async fn who_is_logged_in_lets_the_others_wait_together() {
    let site = Held::serve(|run| format!("run {run}").into_response()).await;
    let apart = site.ask(1, &["Cookie: session=1"]);
    until(|| site.runs() == 1).await;
    site.go.notify_one();
    assert_eq!(bodies(apart).await, ["run 1"]);
    // What was made for one with a cookie is no sign that pages are made for each.
    let others = site.ask(3, &[]);
    until(|| site.waiting() == 2).await;
    site.go.notify_one();
    assert_eq!(bodies(others).await, ["run 2"; 3]);
}

#[tokio::test]
async fn who_waits_is_given_no_other_variant() {
    let site = Held::serve(|run| {
        ([(header::VARY, "accept-language")], format!("run {run}")).into_response()
    });
    let site = site.await;
    let first = site.ask(1, &["Accept-Language: en"]);
    until(|| site.runs() == 1).await;
    let same = site.ask(1, &["Accept-Language: en"]);
    let other = site.ask(1, &["Accept-Language: de"]);
    until(|| site.waiting() == 2).await;
    site.go.notify_one();
    assert_eq!(bodies(first).await, ["run 1"]);
    assert_eq!(bodies(same).await, ["run 1"]);
    site.go.notify_one();
    assert_eq!(bodies(other).await, ["run 2"]);
    assert_eq!(site.runs(), 2);
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_the_load_to_those_who_wait() {
    let site = Held::serve(|run| format!("run {run}").into_response()).await;
    let mut first = site.server.connect().await;
    let request = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";
    first.write_all(request).await.unwrap();
    until(|| site.runs() == 1).await;
    let second = site.ask(1, &[]);
    until(|| site.waiting() == 1).await;
    drop(first);
    // The server notices when it looks at the connection.
    tokio::time::sleep(Duration::from_millis(50)).await;
    site.go.notify_one();
    assert_eq!(bodies(second).await, ["run 1"]);
    assert_eq!(site.runs(), 1);
    assert!(site.server.get("/").await.is_hit());
}

/// A body that fails after its first part, once.
async fn fails_once(State(runs): State<Runs>) -> Response {
    if runs.fetch_add(1, Ordering::SeqCst) > 0 {
        return "whole page".into_response();
    }
    let parts = [Ok("whole"), Err(io::Error::other("the source is gone"))];
    Body::from_stream(stream::iter(parts)).into_response()
}

/// A body shorter than what its header announces, once.
async fn short_once(State(runs): State<Runs>) -> Response {
    if runs.fetch_add(1, Ordering::SeqCst) > 0 {
        return "whole page".into_response();
    }
    let parts = stream::iter([Ok::<_, io::Error>("whole")]);
    ([(header::CONTENT_LENGTH, "10")], Body::from_stream(parts)).into_response()
}

#[tokio::test]
async fn a_body_cut_short_is_not_stored() {
    let cache = TestCache::new();
    let layer = layer(&cache);
    let app = Router::new()
        .merge(
            Router::new()
                .route("/fails", get(fails_once))
                .with_state(Runs::default()),
        )
        .merge(
            Router::new()
                .route("/short", get(short_once))
                .with_state(Runs::default()),
        )
        .layer(layer);
    let server = serve(app).await;
    for path in ["/fails", "/short"] {
        let first = server.get(path).await;
        assert_ne!(first.body, "whole page", "{path}");
        assert!(cache.is_empty(), "{path}");
        assert_eq!(server.get(path).await.body, "whole page", "{path}");
        let hit = server.get(path).await;
        assert!(hit.is_hit() && hit.body == "whole page", "{path}: {hit:?}");
        cache.clear();
        cache.sweep();
    }
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_a_body_stores_nothing() {
    let handler = async || {
        let part = stream::iter([Ok::<_, io::Error>("first part")]);
        let body = futures::StreamExt::chain(part, stream::pending());
        Body::from_stream(body)
    };
    let cache = TestCache::new();
    let layer = layer(&cache);
    let server = serve(Router::new().route("/", get(handler)).layer(layer)).await;
    let mut client = server.connect().await;
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        .await
        .unwrap();
    client.readable().await.unwrap();
    drop(client);
    // The next one is not kept waiting for a body that nobody reads any more.
    let mut next = server.connect().await;
    next.write_all(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        .await
        .unwrap();
    next.readable().await.unwrap();
    assert!(cache.is_empty());
}
