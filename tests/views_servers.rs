//! Pages on real servers: two instances of one application, each with a cache of its own.
#![cfg(all(
    feature = "axum",
    feature = "tokio",
    feature = "redis",
    feature = "memcached",
    feature = "database",
    feature = "filesystem"
))]

mod common;
mod servers;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::get;
use common::forward;
use dewar::http::{CacheLayer, ScopeLayer, ViewPolicy};
use dewar::store::{Database, Filesystem, Item, Memcached, Redis as RedisStore, Store};
use dewar::{BoxFuture, Cache, Error};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use servers::Directory;
use servers::redis::Redis;
use tokio::sync::Notify;
use tower::ServiceExt;

const COPIES: Duration = Duration::from_millis(300);

/// What came back.
struct Reply {
    status: StatusCode,
    hit: bool,
    body: String,
}

/// The data behind the pages, and how often they were made.
#[derive(Default)]
struct Source {
    data: AtomicU32,
    runs: AtomicU32,
    /// The next run waits.
    slow: std::sync::atomic::AtomicBool,
    begun: Notify,
    go: Notify,
}

/// An instance of the application.
struct Instance {
    cache: Cache,
    router: Router,
}

impl Instance {
    fn new(store: impl Store, source: &Arc<Source>) -> Instance {
        let builder = Cache::builder()
            .shared(store)
            .memory_copies(COPIES)
            .store_timeout(Duration::from_secs(2));
        Instance::of(builder.build().unwrap(), source)
    }

    fn of(cache: Cache, source: &Arc<Source>) -> Instance {
        let source = Arc::clone(source);
        let handler = async move |request: Request| {
            let data = source.data.load(SeqCst);
            source.runs.fetch_add(1, SeqCst);
            if source.slow.swap(false, SeqCst) {
                source.begun.notify_one();
                source.go.notified().await;
            }
            let language = request.headers().get("accept-language");
            let language = language.map_or("none", |it| it.to_str().unwrap());
            let body = format!("data {data} for {language}");
            ([("vary", "accept-language")], body).into_response()
        };
        let policy = ViewPolicy::new().timeout(Duration::from_secs(600));
        let layer = CacheLayer::new(policy).name("pages").tag("pages");
        let router = Router::new()
            .route("/", get(handler.clone()).post(handler))
            .layer(layer)
            .layer(ScopeLayer::new(&cache));
        Instance { cache, router }
    }

    async fn ask(&self, method: Method, language: &str) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri("/")
            .header("host", "shop.test")
            .header("accept-language", language)
            .body(Body::empty())
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let did = response.headers().get("cache-status");
        let hit = did.is_some_and(|it| it.to_str().unwrap().contains("; hit"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Reply {
            status,
            hit,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn get(&self, language: &str) -> Reply {
        self.ask(Method::GET, language).await
    }

    /// Waits until a reply is this.
    async fn until(&self, language: &str, body: &str) {
        let begun = Instant::now();
        while self.get(language).await.body != body {
            assert!(begun.elapsed() < Duration::from_secs(30), "never {body:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// What has to hold whatever the store is.
async fn pages_are_shared(open: impl Fn() -> Arc<dyn Store>) {
    let source = Arc::new(Source::default());
    let [one, other] = [(); 2].map(|()| Instance::new(open(), &source));
    let runs = || source.runs.load(SeqCst);

    // Each variant is made once.
    assert_eq!(one.get("de").await.body, "data 0 for de");
    assert_eq!(other.get("en").await.body, "data 0 for en");
    for instance in [&one, &other] {
        for language in ["de", "en"] {
            let reply = instance.get(language).await;
            assert!(reply.hit && reply.body == format!("data 0 for {language}"));
        }
    }
    assert_eq!(runs(), 2);

    // An invalidation in one is seen in the other.
    source.data.store(1, SeqCst);
    one.cache.invalidation().tag("pages").run().await.unwrap();
    assert_eq!(one.get("de").await.body, "data 1 for de");
    other.until("de", "data 1 for de").await;
    assert_eq!(runs(), 3);

    // And so is that of an unsafe request.
    source.data.store(2, SeqCst);
    assert_eq!(other.ask(Method::POST, "de").await.status, 200);
    assert_eq!(other.get("de").await.body, "data 2 for de");
    one.until("de", "data 2 for de").await;

    // What a handler made that began before it is void.
    source.slow.store(true, SeqCst);
    let slow = async { one.get("fr").await };
    let meanwhile = async {
        source.begun.notified().await;
        source.data.store(3, SeqCst);
        other.cache.invalidation().url("/").run().await.unwrap();
        source.go.notify_one();
    };
    let (reply, ()) = tokio::join!(slow, meanwhile);
    assert_eq!(reply.body, "data 2 for fr", "it asked before");
    assert_eq!(other.get("fr").await.body, "data 3 for fr");
    one.until("fr", "data 3 for fr").await;
    tokio::time::sleep(COPIES).await;
    assert_eq!(one.get("fr").await.body, "data 3 for fr");
    for instance in [&one, &other] {
        assert_eq!(instance.cache.stats().store_errors, 0);
        assert_eq!(instance.cache.stats().undecodable, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis() {
    let server = Redis::start();
    pages_are_shared(|| Arc::new(RedisStore::open(&server.url()).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memcached() {
    let server = servers::memcached::Memcached::start();
    let list = format!("127.0.0.1:{}", server.0.port);
    pages_are_shared(|| Arc::new(Memcached::open(&list).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let directory = Directory::new();
    let url = format!("sqlite:{}", directory.path().join("cache.db").display());
    pages_are_shared(|| Arc::new(Database::open(&url).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files() {
    let directory = Directory::new();
    let path = directory.path().join("cache");
    pages_are_shared(|| Arc::new(Filesystem::open(path.clone()).unwrap())).await;
}

/// Remembers what was stored under which key.
struct Remembering(RedisStore, Arc<Mutex<Vec<String>>>);

impl Store for Remembering {
    forward!(0: get_many, set_many, delete_many, swap);

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let keys = items.iter().map(|item| item.key.clone());
        self.1.lock().unwrap().extend(keys);
        self.0.add_many(items)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_somebody_else_at_the_key_are_a_miss() {
    let server = Redis::start();
    let source = Arc::new(Source::default());
    let open = || RedisStore::open(&server.url()).unwrap();
    let keys = Arc::default();
    let one = Instance::new(Remembering(open(), Arc::clone(&keys)), &source);
    assert_eq!(one.get("de").await.body, "data 0 for de");
    let stored = keys.lock().unwrap().clone();
    let entry = stored.iter().find(|key| key.contains(":pages:")).unwrap();
    let whole = open().get_many(std::slice::from_ref(entry)).await.unwrap();
    let whole = whole.into_iter().next().flatten().unwrap();
    let cut = whole[..whole.len() / 2].to_vec();
    for bytes in [cut, b"{\"status\": 200}".to_vec(), Vec::new()] {
        let item = Item {
            key: entry.clone(),
            value: bytes,
            ttl: None,
        };
        open().set_many(vec![item]).await.unwrap();
        let other = Instance::new(open(), &source);
        let reply = other.get("de").await;
        assert!(!reply.hit);
        assert_eq!(
            (reply.status, &*reply.body),
            (StatusCode::OK, "data 0 for de")
        );
        assert_eq!(other.cache.stats().undecodable, 1);
        // It has been written anew.
        assert!(Instance::new(open(), &source).get("de").await.hit);
    }
    server.command(&["DEL", entry]);
    server.command(&["RPUSH", entry, "a list"]);
    assert!(!Instance::new(open(), &source).get("de").await.hit);
    assert!(Instance::new(open(), &source).get("de").await.hit);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_or_stands_still_delays_a_page_no_longer_than_it_may() {
    let mut server = Redis::start();
    let source = Arc::new(Source::default());
    let instance = || {
        let builder = Cache::builder()
            .shared(RedisStore::open(&server.url()).unwrap())
            .store_timeout(Duration::from_millis(200));
        Instance::of(builder.build().unwrap(), &source)
    };
    let [one, other] = [instance(), instance()];
    assert_eq!(one.get("de").await.body, "data 0 for de");
    server.0.pause();
    let begun = Instant::now();
    let reply = other.get("de").await;
    assert_eq!(
        (reply.status, &*reply.body),
        (StatusCode::OK, "data 0 for de")
    );
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert!(other.get("de").await.hit, "from memory");
    let begun = Instant::now();
    assert_eq!(other.ask(Method::POST, "de").await.status, 200);
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert!(other.cache.store_status().unwrap().undelivered > 0);
    server.0.resume();
    server.0.kill();
    assert_eq!(other.get("fr").await.body, "data 0 for fr");
}
