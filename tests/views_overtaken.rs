//! Pages on a shared store that others overtake on their way there.
#![cfg(all(feature = "axum", feature = "tokio", feature = "stores"))]

#[path = "common/instance.rs"]
mod instance;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::routing::get;
use dewar::axum::{FromState, FromUrl};
use dewar::cached;
use dewar::testing::FaultyStore;
use http::request::Parts;
use instance::{Instance, two};
use std::convert::Infallible;
use tokio::sync::{Mutex, Notify};

/// The data of the application, and where those who work with them wait.
mod source {
    use super::*;

    pub(super) static TURN: Mutex<()> = Mutex::const_new(());
    pub(super) static DATA: AtomicU32 = AtomicU32::new(1);
    pub(super) static WAITS: AtomicU32 = AtomicU32::new(0);
    pub(super) static BEGUN: Notify = Notify::const_new();
    pub(super) static GO: Notify = Notify::const_new();

    pub(super) async fn begin() -> tokio::sync::MutexGuard<'static, ()> {
        let turn = TURN.lock().await;
        DATA.store(1, SeqCst);
        WAITS.store(1, SeqCst);
        turn
    }

    /// Holds up the first who comes.
    pub(super) async fn hold() {
        if WAITS.swap(0, SeqCst) == 1 {
            BEGUN.notify_one();
            GO.notified().await;
        }
    }
}

use source::{BEGUN, DATA, GO};

/// What the state holds, as `FromRef` has read it.
#[derive(Clone)]
struct Snapshot(u32);

#[derive(Clone)]
struct App;

impl FromRef<App> for Snapshot {
    fn from_ref(_: &App) -> Self {
        Snapshot(DATA.load(SeqCst))
    }
}

/// Takes its time.
struct Slow;

impl<S: Sync> FromRequestParts<S> for Slow {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        source::hold().await;
        Ok(Slow)
    }
}

impl FromUrl for Slow {}

/// Reads the data by what the state has, and takes its time.
struct Settings(u32);

impl<S: Sync> FromRequestParts<S> for Settings {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let data = DATA.load(SeqCst);
        source::hold().await;
        Ok(Settings(data))
    }
}

impl FromState for Settings {}

mod early {
    use super::*;
    use axum::response::IntoResponse;
    use http::header::CACHE_CONTROL;

    #[cached(view, timeout = 60, tags("data"))]
    async fn snapshot(State(data): State<Snapshot>, slow: Slow) -> String {
        let _ = slow;
        format!("data {}", data.0)
    }

    #[cached(view, timeout = 60, tags("data"))]
    async fn settings(settings: Settings) -> String {
        format!("data {}", settings.0)
    }

    /// The first answer is for one client only.
    #[cached(view, timeout = 60, tags("data"))]
    async fn waiting(State(data): State<Snapshot>) -> impl IntoResponse {
        let first = source::WAITS.load(SeqCst) == 1;
        source::hold().await;
        let told = if first { "no-store" } else { "max-age=60" };
        ([(CACHE_CONTROL, told)], format!("data {}", data.0))
    }

    pub(super) fn router() -> Router {
        Router::new()
            .route("/snapshot", get(snapshot))
            .route("/settings", get(settings))
            .route("/waiting", get(waiting))
            .with_state(App)
    }
}

mod handles {
    use super::*;
    use dewar::axum::Handle;

    struct Db;

    impl<S: Sync> FromRequestParts<S> for Db {
        type Rejection = Infallible;

        async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
            Ok(Db)
        }
    }

    impl FromState for Db {}
    impl Handle for Db {}

    #[cached(view, timeout = 60, shared)]
    async fn page(db: Db, State(app): State<App>) -> &'static str {
        let _ = (db, app);
        "page"
    }

    pub(super) fn router() -> Router {
        Router::new().route("/", get(page)).with_state(App)
    }
}

#[tokio::test]
async fn a_page_that_only_a_handle_comes_to_is_shared() {
    let [one, other] = two(&FaultyStore::new(), handles::router);
    assert!(!one.get("/").await.is_hit());
    assert!(other.get("/").await.is_hit());
}

fn ask(instance: &Arc<Instance>, path: &'static str) -> tokio::task::JoinHandle<String> {
    let instance = Arc::clone(instance);
    tokio::spawn(async move { instance.get(path).await.text() })
}

async fn change(instance: &Instance) {
    DATA.store(2, SeqCst);
    instance
        .cache
        .invalidation()
        .tag("data")
        .run()
        .await
        .unwrap();
}

#[tokio::test]
async fn what_an_extractor_read_before_an_invalidation_is_not_stored_for_others() {
    for soft in [false, true] {
        let _turn = source::begin().await;
        let [one, other] = two(&FaultyStore::new(), early::router).map(Arc::new);
        let first = ask(&one, "/snapshot");
        BEGUN.notified().await;
        DATA.store(2, SeqCst);
        let invalidation = one.cache.invalidation().tag("data");
        let invalidation = if soft {
            invalidation.soft()
        } else {
            invalidation
        };
        invalidation.run().await.unwrap();
        GO.notify_one();
        assert_eq!(first.await.unwrap(), "data 1", "it asked before");
        assert_eq!(
            other.get("/snapshot").await.text(),
            "data 2",
            "soft: {soft}"
        );
    }
}

#[tokio::test]
async fn nor_is_what_it_read_before_one_elsewhere() {
    let _turn = source::begin().await;
    let [one, other] = two(&FaultyStore::new(), early::router).map(Arc::new);
    let first = ask(&one, "/settings");
    BEGUN.notified().await;
    change(&other).await;
    GO.notify_one();
    assert_eq!(first.await.unwrap(), "data 1", "it asked before");
    assert_eq!(other.get("/settings").await.text(), "data 2");
}

#[tokio::test]
async fn nor_is_what_the_state_held_before_another_was_waited_for() {
    let _turn = source::begin().await;
    let [one, other] = two(&FaultyStore::new(), early::router).map(Arc::new);
    let first = ask(&one, "/waiting");
    BEGUN.notified().await;
    let second = ask(&one, "/waiting");
    while one.cache.stats().coalesced < 1 {
        tokio::task::yield_now().await;
    }
    change(&other).await;
    one.cache.advance(Duration::from_secs(4));
    GO.notify_one();
    assert_eq!(first.await.unwrap(), "data 1");
    assert_eq!(second.await.unwrap(), "data 1", "it asked before");
    assert_eq!(other.get("/waiting").await.text(), "data 2");
    one.cache.advance(Duration::from_secs(1));
    assert_eq!(
        one.get("/waiting").await.text(),
        "data 2",
        "the time of copies is over"
    );
}
