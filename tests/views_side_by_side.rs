//! Pages on a shared store that several write at the same time.
#![cfg(all(feature = "axum", feature = "tokio", feature = "stores"))]

mod common;
#[path = "common/instance.rs"]
mod instance;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use common::{Gate, Step};
use dewar::cached;
use dewar::testing::FaultyStore;
use http::{HeaderMap, Method, Uri};
use instance::{Instance, two};
use tokio::sync::{Barrier, Mutex, Notify};

static TURN: Mutex<()> = Mutex::const_new(());
static DATA: AtomicU32 = AtomicU32::new(1);
static SLOW: AtomicU32 = AtomicU32::new(0);
static BEGUN: Notify = Notify::const_new();
static GO: Notify = Notify::const_new();

/// What is there at the beginning; the next handler to run waits.
fn slow(data: u32) {
    DATA.store(data, SeqCst);
    SLOW.store(1, SeqCst);
}

#[cached(view, timeout = 60, tags("data"), refresh_if = uri.query() == Some("refresh=1"), query(only("page")))]
async fn page(uri: Uri) -> String {
    let _ = uri;
    let data = DATA.load(SeqCst);
    if SLOW.swap(0, SeqCst) == 1 {
        BEGUN.notify_one();
        GO.notified().await;
    }
    format!("data {data}")
}

fn router() -> Router {
    Router::new().route("/", get(page))
}

fn ask(instance: &Arc<Instance>, path: &'static str) -> tokio::task::JoinHandle<String> {
    let instance = Arc::clone(instance);
    tokio::spawn(async move { instance.get(path).await.text() })
}

/// What an instance finds that has nothing in memory.
async fn found(store: &FaultyStore) -> String {
    let reply = instance::instance(store, router, Duration::from_secs(5))
        .get("/")
        .await;
    assert!(reply.is_hit(), "{reply:?}");
    reply.text()
}

#[tokio::test]
async fn a_refresh_is_not_lost_to_a_read_of_the_store_beside_it() {
    let _turn = TURN.lock().await;
    let store = FaultyStore::new();
    let [one, other] = two(&store, router).map(Arc::new);
    DATA.store(1, SeqCst);
    other.get("/").await;
    slow(2);
    let refreshed = ask(&one, "/?refresh=1");
    BEGUN.notified().await;
    assert_eq!(one.get("/").await.text(), "data 1");
    GO.notify_one();
    assert_eq!(refreshed.await.unwrap(), "data 2");
    assert_eq!(one.get("/").await.text(), "data 2");
    assert_eq!(found(&store).await, "data 2");
}

#[tokio::test]
async fn a_slow_load_does_not_take_the_place_of_a_refresh() {
    let _turn = TURN.lock().await;
    let store = FaultyStore::new();
    let [one, other] = two(&store, router).map(Arc::new);
    slow(1);
    let loaded = ask(&one, "/");
    BEGUN.notified().await;
    DATA.store(2, SeqCst);
    assert_eq!(other.get("/?refresh=1").await.text(), "data 2");
    GO.notify_one();
    assert_eq!(loaded.await.unwrap(), "data 1", "it asked before");
    assert_eq!(found(&store).await, "data 2");
}

#[tokio::test]
async fn a_refresh_takes_the_place_of_what_was_loaded_meanwhile() {
    let _turn = TURN.lock().await;
    let store = FaultyStore::new();
    let [one, other] = two(&store, router).map(Arc::new);
    slow(2);
    let refreshed = ask(&one, "/?refresh=1");
    BEGUN.notified().await;
    DATA.store(1, SeqCst);
    assert_eq!(other.get("/").await.text(), "data 1");
    GO.notify_one();
    assert_eq!(refreshed.await.unwrap(), "data 2");
    assert_eq!(found(&store).await, "data 2");
}

#[tokio::test]
async fn others_drop_their_copies_of_what_is_refreshed() {
    let _turn = TURN.lock().await;
    let store = FaultyStore::pushing();
    let [one, other] = two(&store, router).map(Arc::new);
    let listening = async |instance: &Instance| {
        while instance.cache.store_status().unwrap().push != Some(true) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    listening(&one).await;
    listening(&other).await;
    DATA.store(1, SeqCst);
    assert_eq!(one.get("/").await.text(), "data 1");
    assert_eq!(other.get("/").await.text(), "data 1");
    DATA.store(2, SeqCst);
    assert_eq!(one.get("/?refresh=1").await.text(), "data 2");
    // A message takes its time; the copy would stay for a minute.
    for _ in 0..400 {
        if other.get("/").await.text() == "data 2" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(other.get("/").await.text(), "data 2");
    let loads = (one.cache.stats().loads, other.cache.stats().loads);
    assert_eq!(loads, (2, 0), "what was stored is still there");
}

#[tokio::test]
async fn what_is_void_does_not_take_the_place_of_what_is_valid() {
    let _turn = TURN.lock().await;
    let store = FaultyStore::new();
    let [one, other] = two(&store, router).map(Arc::new);
    slow(1);
    let loaded = ask(&one, "/");
    BEGUN.notified().await;
    DATA.store(2, SeqCst);
    other.cache.invalidation().tag("data").run().await.unwrap();
    assert_eq!(other.get("/").await.text(), "data 2");
    GO.notify_one();
    assert_eq!(loaded.await.unwrap(), "data 1", "it asked before");
    assert_eq!(found(&store).await, "data 2");
}

#[tokio::test]
async fn a_refresh_that_the_store_does_not_take_makes_void_what_is_there() {
    let _turn = TURN.lock().await;
    let store = FaultyStore::new();
    let [one, other] = two(&store, router).map(Arc::new);
    DATA.store(1, SeqCst);
    other.get("/").await;
    store.fail(true);
    DATA.store(2, SeqCst);
    assert_eq!(one.get("/?refresh=1").await.text(), "data 2");
    store.fail(false);
    one.cache.advance(Duration::from_secs(30));
    // By a thread of its own.
    while one.cache.store_status().unwrap().undelivered > 0 {
        one.cache.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(one.get("/").await.text(), "data 2");
    other.cache.advance(Duration::from_secs(5));
    assert_eq!(other.get("/").await.text(), "data 2");
}

#[tokio::test]
async fn two_variants_that_are_made_at_once_are_both_kept() {
    use dewar::http::{CacheLayer, ViewPolicy};
    let both = Arc::new(Barrier::new(2));
    let router = |waits: bool| {
        let both = Arc::clone(&both);
        let page = async move |headers: HeaderMap| {
            if waits {
                both.wait().await;
            }
            headers["accept-language"].to_str().unwrap().to_owned()
        };
        let policy = ViewPolicy::new().timeout(Duration::from_secs(60));
        let layer = CacheLayer::new(policy.vary([http::header::ACCEPT_LANGUAGE]));
        Router::new().route("/", get(page)).layer(layer)
    };
    let in_language = async |instance: &Instance, language| {
        let headers = [("accept-language", language)];
        instance.ask(Method::GET, "/", &headers).await
    };
    for in_one_process in [true, false] {
        let store = FaultyStore::new();
        let [one, other] = two(&store, || router(true));
        let second = if in_one_process { &one } else { &other };
        tokio::join!(in_language(&one, "de"), in_language(second, "en"));
        let third = instance::instance(&store, || router(false), Duration::from_secs(5));
        for language in ["de", "en"] {
            let reply = in_language(&third, language).await;
            assert!(reply.is_hit(), "{language}");
            assert_eq!(reply.text(), language);
        }
    }
}

mod stale {
    use super::*;

    #[cached(view, timeout = 60, stale_while_revalidate = "1m")]
    async fn page() -> String {
        let data = DATA.load(SeqCst);
        if SLOW.swap(0, SeqCst) == 1 {
            BEGUN.notify_one();
            GO.notified().await;
        }
        format!("data {data}")
    }

    pub(super) fn router() -> Router {
        Router::new().route("/", get(page))
    }
}

#[tokio::test]
async fn all_who_wait_are_given_the_stale_page_that_the_store_has() {
    let _turn = TURN.lock().await;
    let gate = Gate::before(FaultyStore::new());
    let [one, other] = two(&gate, stale::router).map(Arc::new);
    DATA.store(1, SeqCst);
    other.get("/").await;
    one.cache.advance(Duration::from_secs(70));
    slow(2);
    gate.shut(Step::Read);
    let all = [(); 3].map(|()| ask(&one, "/"));
    while one.cache.stats().coalesced < 2 || !gate.is_waited_at() {
        tokio::task::yield_now().await;
    }
    gate.open();
    BEGUN.notified().await;
    for asked in all {
        let answer = tokio::time::timeout(Duration::from_secs(5), asked).await;
        let answer = answer.expect("it waits for the handler");
        assert_eq!(answer.unwrap(), "data 1");
    }
    GO.notify_one();
    while one.get("/").await.text() != "data 2" {
        tokio::task::yield_now().await;
    }
    assert_eq!(one.cache.stats().loads, 1);
}
