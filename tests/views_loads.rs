//! Cached views: loads, that several clients share, that fail, and bodies that do not come at once.

#[path = "common/site.rs"]
mod site;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dewar::cached;
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::Semaphore;

use site::{Got, Runs, Site, serve, until};

/// Some clients at once; the handler goes on when all but the first wait for it.
async fn at_once(site: &Site, gate: &Semaphore, clients: u64) -> Vec<Got> {
    let all = futures::future::join_all((0..clients).map(|_| site.get("/")));
    let released = async {
        let waits = || site.cache.stats().coalesced == clients - 1;
        until("the others wait", waits).await;
        gate.add_permits(1);
    };
    tokio::join!(all, released).0
}

#[tokio::test]
async fn sixty_four_clients_make_one_load() {
    static RUNS: Runs = Runs::new();
    static GATE: Semaphore = Semaphore::const_new(0);

    #[cached(view, timeout = 60)]
    async fn slow() -> String {
        let run = RUNS.next();
        let _ = GATE.acquire().await.unwrap();
        format!("run {run}")
    }

    let site = serve(Router::new().route("/", get(slow))).await;
    let all = at_once(&site, &GATE, 64).await;
    assert!(all.iter().all(|got| got.body == "run 1"));
    assert_eq!(RUNS.count(), 1);
    let collapsed = |got: &&Got| got.header("cache-status").contains("collapsed");
    assert_eq!(all.iter().filter(collapsed).count(), 63);
}

#[tokio::test]
async fn what_cannot_be_stored_is_made_for_each() {
    static RUNS: Runs = Runs::new();
    static GATE: Semaphore = Semaphore::const_new(0);

    #[cached(view, timeout = 60)]
    async fn welcome() -> impl IntoResponse {
        let run = RUNS.next();
        let _ = GATE.acquire().await.unwrap();
        ([(header::SET_COOKIE, format!("session={run}"))], "welcome")
    }

    let site = serve(Router::new().route("/", get(welcome))).await;
    let all = at_once(&site, &GATE, 8).await;
    let mut cookies: Vec<_> = all.iter().map(|got| got.header("set-cookie")).collect();
    cookies.sort_unstable();
    cookies.dedup();
    assert_eq!(cookies.len(), 8, "each client has a session of its own");
}

#[tokio::test]
async fn what_was_made_for_one_is_not_waited_for_the_next_time() {
    static RUNS: Runs = Runs::new();
    static GATE: Semaphore = Semaphore::const_new(1);

    // The timeout is that of the cache, which is known with each call only.
    #[cached(view)]
    async fn welcome() -> impl IntoResponse {
        RUNS.next();
        GATE.acquire().await.unwrap().forget();
        [(header::CACHE_CONTROL, "private")]
    }

    let site = serve(Router::new().route("/", get(welcome))).await;
    site.get("/").await;
    let all = futures::future::join_all((0..3).map(|_| site.get("/")));
    let released = async {
        until("all run", || {
            RUNS.count() == 4 || site.cache.stats().coalesced > 0
        })
        .await;
        GATE.add_permits(3);
    };
    let (_, ()) = tokio::join!(all, released);
    assert_eq!(site.cache.stats().coalesced, 0);
}

#[tokio::test]
async fn a_stale_page_is_served_while_it_is_made_anew() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, stale_while_revalidate = "30s")]
    async fn page() -> String {
        format!("run {}", RUNS.next())
    }

    let site = serve(Router::new().route("/", get(page))).await;
    site.get("/").await;
    site.advance(70);
    let stale = site.get("/").await;
    assert_eq!(stale.body, "run 1");
    assert_eq!(stale.header("cache-status"), "dewar; hit; ttl=-10");
    until("it is stored", || site.cache.stats().stores == 2).await;
    let fresh = site.get("/").await;
    assert_eq!((&*fresh.body, fresh.is_hit()), ("run 2", true));
    site.advance(91);
    assert_eq!(site.get("/").await.body, "run 3", "not for ever");
    // A part will do.
    site.advance(70);
    let part = site.get_with("/", &[("range", "bytes=-1")]).await;
    assert_eq!((part.status, &*part.body), (206, "3"));
    until("it is stored", || site.cache.stats().stores == 4).await;
    assert_eq!(site.get("/").await.body, "run 4");
    // What is asked for its head alone is no page, nor is what is to be stored nowhere.
    site.advance(70);
    let head = site.ask(axum::http::Method::HEAD, "/", &[]).await;
    assert_eq!((head.is_hit(), RUNS.count()), (false, 5));
    let own = site.get_with("/", &[("cache-control", "no-store")]).await;
    assert_eq!((&*own.body, RUNS.count()), ("run 6", 6));
}

#[tokio::test]
async fn a_stale_page_is_served_when_the_handler_fails() {
    static BROKEN: AtomicBool = AtomicBool::new(false);

    #[cached(view, timeout = 60, stale_if_error = "5m")]
    async fn page(Path(how): Path<String>) -> Result<String, StatusCode> {
        if BROKEN.load(Ordering::SeqCst) {
            assert!(how != "panic", "as the test has it");
            return Err(StatusCode::BAD_GATEWAY);
        }
        Ok("page".to_owned())
    }

    let site = serve(Router::new().route("/{how}", get(page))).await;
    site.get("/error").await;
    site.get("/panic").await;
    site.advance(70);
    BROKEN.store(true, Ordering::SeqCst);
    for path in ["/error", "/panic"] {
        let stale = site.get(path).await;
        assert_eq!((stale.status, &*stale.body), (200, "page"), "{path}");
        let said = stale.header("cache-status");
        // Where the handler panicked there is no status to tell of.
        let expected = match path {
            "/error" => "; fwd=stale; fwd-status=502; ttl=-10",
            _ => "; fwd=stale; ttl=-10",
        };
        assert!(said.ends_with(expected), "{said}");
    }
    site.advance(300);
    assert_eq!(site.get("/error").await.status, 502, "not for ever");
    BROKEN.store(false, Ordering::SeqCst);
    assert_eq!(site.get("/error").await.body, "page");
}

#[tokio::test]
async fn a_handler_that_fails_is_tried_again_when_it_is_time() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, stale_if_error("5m", retry = "10s"))]
    async fn page() -> Result<String, StatusCode> {
        match RUNS.next() {
            1 => Ok("page".to_owned()),
            _ => Err(StatusCode::BAD_GATEWAY),
        }
    }

    let site = serve(Router::new().route("/", get(page))).await;
    site.get("/").await;
    site.advance(70);
    for run in 2..4 {
        for _ in 0..2 {
            assert_eq!(site.get("/").await.body, "page");
            assert_eq!(RUNS.count(), run);
            site.advance(5);
        }
    }
}

#[tokio::test]
async fn a_long_body_streams_through() {
    #[cached(view, timeout = 60, body_limit = "1 KiB")]
    async fn page(Path(chunks): Path<usize>) -> Body {
        let chunk = Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 256]));
        Body::from_stream(stream::iter(vec![chunk; chunks]))
    }

    let site = serve(Router::new().route("/{chunks}", get(page))).await;
    for (path, length, stored) in [
        ("/4", 1024, true),
        ("/5", 1280, false),
        ("/100", 25600, false),
    ] {
        for hit in [false, stored] {
            let got = site.get(path).await;
            assert_eq!((got.body.len(), got.is_hit()), (length, hit), "{path}");
        }
    }
}

#[tokio::test]
async fn events_come_as_they_happen() {
    static GATE: Semaphore = Semaphore::const_new(0);

    #[cached(view, timeout = 60)]
    async fn events() -> impl IntoResponse {
        Sse::new(stream::iter(1..).then(async |n| {
            GATE.acquire().await.unwrap().forget();
            Ok::<_, Infallible>(Event::default().data(n.to_string()))
        }))
    }

    let site = serve(Router::new().route("/", get(events))).await;
    let mut one = reqwest::get(site.url("/")).await.unwrap().bytes_stream();
    for n in 1..4 {
        assert!(one.next().now_or_never().is_none(), "none yet");
        GATE.add_permits(1);
        let event = one.next().await.unwrap().unwrap();
        assert_eq!(event, format!("data: {n}\n\n"));
    }
    drop(one);
    assert!(site.cache.is_empty());
}

fn failing(how: &str) -> Response {
    let piece = Ok(Bytes::from_static(b"half of "));
    match how {
        "error" => {
            let broken = stream::iter([piece, Err(std::io::Error::other("broken"))]);
            Body::from_stream(broken).into_response()
        }
        _ => {
            // Announces more than it sends.
            let body = Body::from_stream(stream::iter([piece]));
            ([(header::CONTENT_LENGTH, "100")], body).into_response()
        }
    }
}

#[tokio::test]
async fn a_body_cut_short_is_not_stored() {
    #[cached(view, timeout = 60)]
    async fn page(Path(how): Path<String>) -> Response {
        failing(&how)
    }

    let site = serve(Router::new().route("/{how}", get(page))).await;
    for path in ["/error", "/short"] {
        for _ in 0..2 {
            let response = reqwest::get(site.url(path)).await;
            let whole = match response {
                Ok(response) => response.bytes().await.is_ok(),
                Err(_) => false,
            };
            assert!(!whole, "{path}: the client is told");
        }
    }
    assert!(site.cache.is_empty());
}

async fn fails(site: &Site, path: &str) -> bool {
    reqwest::get(site.url(path)).await.is_err()
}

#[tokio::test]
async fn a_panic_is_that_clients_alone() {
    static RUNS: Runs = Runs::new();
    static GATE: Semaphore = Semaphore::const_new(0);

    #[cached(view, timeout = 60)]
    async fn page() -> String {
        let run = RUNS.next();
        let _ = GATE.acquire().await.unwrap();
        assert!(run != 1, "as the test has it");
        format!("run {run}")
    }

    let site = serve(Router::new().route("/", get(page))).await;
    let first = fails(&site, "/");
    let second = async {
        until("the first runs", || RUNS.count() == 1).await;
        site.get("/").await
    };
    let released = async {
        until("one waits", || site.cache.stats().coalesced == 1).await;
        GATE.add_permits(2);
    };
    let (failed, second, ()) = tokio::join!(first, second, released);
    assert!(failed);
    assert_eq!((second.status, &*second.body), (200, "run 2"));
    assert_eq!(site.get("/").await.body, "run 2");
}

#[tokio::test]
async fn a_client_that_leaves_takes_nothing_from_others() {
    static RUNS: Runs = Runs::new();
    static GATE: Semaphore = Semaphore::const_new(0);

    #[cached(view, timeout = 60)]
    async fn page() -> String {
        let run = RUNS.next();
        let _ = GATE.acquire().await.unwrap();
        format!("run {run}")
    }

    let site = serve(Router::new().route("/", get(page))).await;
    let gone = tokio::spawn(reqwest::get(site.url("/")));
    until("it runs", || RUNS.count() == 1).await;
    let other = async {
        until("the other waits", || site.cache.stats().coalesced == 1).await;
        gone.abort();
        GATE.add_permits(10);
    };
    let (waiting, ()) = tokio::join!(site.get("/"), other);
    assert_eq!(waiting.body, "run 1");
    assert_eq!(RUNS.count(), 1);
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_a_body_leaves_no_half_of_it() {
    static RUNS: Runs = Runs::new();
    static GATE: Semaphore = Semaphore::const_new(0);

    #[cached(view, timeout = 60)]
    async fn page() -> Body {
        RUNS.next();
        let pieces = ["half ", "of it"];
        Body::from_stream(stream::iter(pieces).enumerate().then(async |(n, piece)| {
            if n > 0 {
                let _ = GATE.acquire().await.unwrap();
            }
            Ok::<_, Infallible>(Bytes::from(piece))
        }))
    }

    let site = serve(Router::new().route("/", get(page))).await;
    let mut response = reqwest::get(site.url("/")).await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "half ");
    drop(response);
    GATE.add_permits(10);
    let got = site.get("/").await;
    assert_eq!(got.body, "half of it");
    assert_eq!(site.get("/").await.body, "half of it");
}
