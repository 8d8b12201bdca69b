//! `CacheLayer`: what those who wait for a load are answered with when it fails.
#![cfg(feature = "tower")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dewar::http::{CacheLayer, CacheService, ViewPolicy};
use dewar::testing::TestCache;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, io::Error>;
type Answer = Result<Response<Body>, io::Error>;

/// An origin that answers when it is let go, behind a layer.
struct Site {
    cache: TestCache,
    service: CacheService<BoxCloneSyncService<Request<()>, Response<Body>, io::Error>>,
    runs: Arc<AtomicU32>,
    go: Arc<Semaphore>,
}

/// What a client came to: its body, or what went wrong.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn said(&self) -> &str {
        let said = self.headers.get("cache-status");
        said.map_or("", |it| it.to_str().unwrap())
    }
}

fn text(text: &'static str, fields: &[(&'static str, &'static str)]) -> Response<Body> {
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    for (name, value) in fields {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}

fn status(code: u16) -> Response<Body> {
    let mut response = text("", &[]);
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

/// A body that fails after its first piece, when `go` says so.
fn cut(go: &Arc<Semaphore>) -> Response<Body> {
    let go = Arc::clone(go);
    let end = async move {
        pass(&go).await;
        Err(io::Error::other("the source is gone"))
    };
    let first = stream::iter([Ok(Frame::data(Bytes::from("half")))]);
    Response::new(StreamBody::new(first.chain(end.into_stream())).boxed_unsync())
}

async fn pass(go: &Semaphore) {
    go.acquire().await.unwrap().forget();
}

fn site(
    policy: ViewPolicy,
    answer: impl Fn(&Request<()>, u32, &Arc<Semaphore>) -> Answer + Clone + Send + Sync + 'static,
) -> Site {
    site_of(TestCache::new(), policy, answer)
}

fn site_of(
    cache: TestCache,
    policy: ViewPolicy,
    answer: impl Fn(&Request<()>, u32, &Arc<Semaphore>) -> Answer + Clone + Send + Sync + 'static,
) -> Site {
    let (runs, go) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let (counted, held) = (Arc::clone(&runs), Arc::clone(&go));
    let origin = service_fn(move |request: Request<()>| -> BoxFuture<'static, Answer> {
        let run = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let (go, answer) = (Arc::clone(&held), answer.clone());
        async move {
            pass(&go).await;
            answer(&request, run, &go)
        }
        .boxed()
    });
    let layer = CacheLayer::new(policy).key_prefix("pages").cache(&cache);
    Site {
        cache,
        service: layer.layer(BoxCloneSyncService::new(origin)),
        runs,
        go,
    }
}

impl Site {
    /// Clients that ask at once, each in a task of its own: in this order.
    fn ask(&self, clients: usize, fields: &'static [(&'static str, &'static str)]) -> Vec<Client> {
        let ask = |_| {
            let mut request = Request::builder().uri("/").header("host", "shop.test");
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            let request = request.body(()).unwrap();
            let answer = self.service.clone().oneshot(request);
            tokio::spawn(async move {
                let (head, body) = answer.await?.into_parts();
                let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                Ok(Reply {
                    status: head.status.as_u16(),
                    headers: head.headers,
                    body: String::from_utf8_lossy(&body).into_owned(),
                })
            })
        };
        (0..clients).map(ask).collect()
    }

    /// Lets the next runs answer, and everything come to rest.
    async fn let_go(&self, runs: usize) {
        self.go.add_permits(runs);
        self.rest().await;
    }

    async fn rest(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }

    /// What the first run answers is stored, and stale by ten seconds.
    async fn stored(&self) {
        let first = self.ask(1, &[]);
        self.let_go(1).await;
        assert_eq!(replies(first).await[0].status, 200);
        self.cache.advance(Duration::from_secs(70));
    }
}

type Client = JoinHandle<io::Result<Reply>>;

/// What those came to who came to anything.
async fn replies(clients: Vec<Client>) -> Vec<Reply> {
    let mut replies = Vec::new();
    for client in clients {
        assert!(client.is_finished(), "a client still waits");
        if let Ok(Ok(reply)) = client.await {
            replies.push(reply);
        }
    }
    replies
}

fn minute() -> ViewPolicy {
    ViewPolicy::new().timeout(Duration::from_secs(60))
}

#[tokio::test]
async fn an_origin_that_fails_is_asked_once_where_the_others_have_something_stale() {
    // How it fails, what is said of that, and whether the client that asked is served too.
    for (how, said, own) in [
        ("status", "; fwd-status=503", true),
        ("error", "", true),
        ("panic", "", true),
        ("cut", "", false),
        // Of these nothing was sent, not even the head.
        ("cut at once", "", true),
        ("short", "", true),
    ] {
        let policy = minute().stale_if_error(Duration::from_secs(30));
        let site = site(policy, move |_, run, go| match (run, how) {
            (1, _) => Ok(text("page", &[])),
            (_, "status") => Ok(status(503)),
            (_, "error") => Err(io::Error::other("the origin is gone")),
            (_, "cut") => Ok(cut(go)),
            (_, "cut at once") => {
                go.add_permits(1);
                Ok(cut(go))
            }
            (_, "short") => Ok(text("half", &[("content-length", "10")])),
            _ => panic!("the origin fails"),
        });
        site.stored().await;
        let clients = site.ask(5, &[]);
        site.rest().await;
        assert_eq!(site.cache.stats().coalesced, 4, "{how}");
        site.let_go(1).await;
        // The rest of the body that is cut later; nobody else asks.
        site.let_go(1).await;
        assert_eq!(site.runs(), 2, "{how}");
        let replies = replies(clients).await;
        assert_eq!(replies.len(), if own { 5 } else { 4 }, "{how}");
        for (at, reply) in replies.iter().enumerate() {
            assert_eq!((reply.status, reply.body.as_str()), (200, "page"), "{how}");
            let mut expected = format!("dewar; fwd=stale{said}; ttl=-10");
            if at > 0 || !own {
                expected.push_str("; collapsed");
            }
            assert_eq!(reply.said(), expected, "{how}");
        }
        assert_eq!(site.cache.stats().fallbacks, replies.len() as u64, "{how}");
        // Nor is it asked again at once.
        let next = site.ask(1, &[]);
        site.rest().await;
        assert_eq!(self::replies(next).await[0].body, "page", "{how}");
        assert_eq!(site.runs(), 2, "{how}");
    }
}

#[tokio::test]
async fn who_takes_what_is_stale_is_served_that_where_the_one_who_asked_does_not() {
    let policy = minute().request_directives(true);
    let site = site(policy, |_, run, _| match run {
        1 => Ok(text("page", &[("etag", "\"a\"")])),
        _ => Ok(status(503)),
    });
    site.stored().await;
    let first = site.ask(1, &[]);
    let others = site.ask(3, &[("cache-control", "stale-if-error=30")]);
    site.rest().await;
    site.let_go(1).await;
    assert_eq!(replies(first).await[0].status, 503);
    for reply in replies(others).await {
        assert_eq!((reply.status, reply.body.as_str()), (200, "page"));
    }
    assert_eq!(site.runs(), 2);
}

/// Another process has stored the page: none of those who wait has it in memory.
#[cfg(feature = "stores")]
#[tokio::test]
async fn what_the_shared_store_has_stands_in_for_all_who_wait() {
    let store = dewar::testing::FaultyStore::new();
    let policy = minute().stale_if_error(Duration::from_secs(30));
    let [one, other] = [1, 2].map(|process| {
        let builder = dewar::Cache::builder().shared(store.clone());
        let cache = TestCache::with(builder).unwrap();
        site_of(cache, policy.clone(), move |_, _, _| match process {
            1 => Ok(text("page", &[])),
            _ => Ok(status(503)),
        })
    });
    one.stored().await;
    other.cache.advance(Duration::from_secs(70));
    let clients = other.ask(5, &[]);
    other.rest().await;
    other.let_go(1).await;
    let replies = replies(clients).await;
    assert!(replies.iter().all(|it| it.body == "page"), "{replies:?}");
    assert_eq!((replies.len(), other.runs()), (5, 1));
    // Nor is the origin asked again at once, and then by one of all.
    let next = other.ask(5, &[]);
    other.rest().await;
    assert_eq!(self::replies(next).await.len(), 5);
    other.cache.advance(Duration::from_secs(1));
    let later = other.ask(5, &[]);
    other.rest().await;
    other.let_go(1).await;
    let later = self::replies(later).await;
    assert!(later.iter().all(|it| it.body == "page"), "{later:?}");
    assert_eq!((later.len(), other.runs()), (5, 2));
}

#[tokio::test]
async fn past_the_time_for_what_is_stale_each_asks_for_itself() {
    let policy = minute().stale_if_error(Duration::from_secs(5));
    let site = site(policy, |_, run, _| match run {
        1 => Ok(text("page", &[])),
        _ => Ok(status(503)),
    });
    site.stored().await;
    let clients = site.ask(4, &[]);
    site.rest().await;
    site.let_go(1).await;
    // Side by side: a page that is never there is not asked for by one after the other.
    assert_eq!(site.runs(), 5);
    site.let_go(3).await;
    assert!(replies(clients).await.iter().all(|it| it.status == 503));
}

#[tokio::test]
async fn after_an_error_one_asks_again_for_those_who_have_nothing() {
    let site = site(minute(), |_, run, _| match run {
        1 => Err(io::Error::other("the origin is gone")),
        _ => Ok(text("page", &[])),
    });
    let clients = site.ask(5, &[]);
    site.rest().await;
    site.let_go(1).await;
    assert_eq!(site.runs(), 2);
    site.let_go(1).await;
    let replies = replies(clients).await;
    assert!(replies.iter().all(|it| it.body == "page"));
    assert_eq!((replies.len(), site.runs()), (4, 2));
}

#[tokio::test]
async fn after_two_errors_nobody_waits_any_more() {
    let site = site(minute(), |_, _, _| {
        Err(io::Error::other("the origin is gone"))
    });
    let clients = site.ask(6, &[]);
    site.rest().await;
    site.let_go(1).await;
    assert_eq!(site.runs(), 2);
    site.let_go(1).await;
    assert_eq!(site.runs(), 6);
    site.let_go(4).await;
    assert!(replies(clients).await.is_empty());
}

#[tokio::test]
async fn after_a_304_for_one_client_the_others_are_led_by_one_of_them() {
    let site = site(ViewPolicy::proxy(), |request, _, _| {
        match request.headers().contains_key("if-none-match") {
            true => Ok(status(304)),
            false => Ok(text("page", &[("cache-control", "max-age=60")])),
        }
    });
    let own = site.ask(1, &[("if-none-match", "\"a\"")]);
    site.rest().await;
    let others = site.ask(4, &[]);
    let same = site.ask(2, &[("if-none-match", "\"a\"")]);
    site.rest().await;
    assert_eq!(site.cache.stats().coalesced, 6);
    site.let_go(1).await;
    // Those who may be told the same each ask for themselves.
    assert_eq!(site.runs(), 4);
    site.let_go(3).await;
    for reply in replies(own).await.iter().chain(&replies(same).await) {
        assert_eq!(reply.status, 304);
    }
    let others = replies(others).await;
    assert!(others.iter().all(|it| it.body == "page"));
    assert_eq!((others.len(), site.runs()), (4, 4));
}

#[tokio::test]
async fn a_failure_that_may_be_stored_is_for_all_who_wait() {
    let site = site(ViewPolicy::proxy(), |_, _, _| {
        let mut failure = status(503);
        let minute = "max-age=60".parse().unwrap();
        failure.headers_mut().insert("cache-control", minute);
        Ok(failure)
    });
    let clients = site.ask(5, &[]);
    site.rest().await;
    site.let_go(1).await;
    let replies = replies(clients).await;
    assert!(replies.iter().all(|it| it.status == 503));
    assert_eq!((replies.len(), site.runs()), (5, 1));
}
