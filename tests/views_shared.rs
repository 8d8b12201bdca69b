//! Pages on a shared store, with a clock that is moved by hand. Two caches on one store stand for two
//! processes.
#![cfg(all(feature = "axum", feature = "tokio", feature = "stores"))]

#[path = "common/instance.rs"]
mod instance;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::response::IntoResponse;
use axum::routing::get;
use dewar::cached;
use dewar::http::{CacheLayer, ViewPolicy};
use dewar::testing::FaultyStore;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use instance::{Instance, Reply, instance, two};

mod pages {
    use super::*;

    pub(super) static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(view, timeout = 60, key_prefix = "page", tags("pages"))]
    pub(super) async fn page() -> impl IntoResponse {
        let run = RUNS.fetch_add(1, SeqCst) + 1;
        let mut headers = HeaderMap::new();
        headers.append("x-many", HeaderValue::from_static("one"));
        headers.append("x-many", HeaderValue::from_bytes(b"caf\xe9").unwrap());
        let mut body = format!("run {run}").into_bytes();
        body.extend([0, 255, 10]);
        (headers, body)
    }

    pub(super) fn router() -> Router {
        Router::new().route("/", get(page).post(async || "changed"))
    }
}

#[tokio::test]
async fn a_page_goes_through_the_store_whole() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, pages::router);
    let (made, found) = (one.get("/").await, other.get("/").await);
    assert!(!made.is_hit() && found.is_hit());
    assert_eq!(made.body, found.body);
    assert_eq!((one.cache.stats().loads, other.cache.stats().loads), (1, 0));
    assert_eq!(other.cache.stats().fetched, 1);
    let many = |reply: &Reply| -> Vec<Vec<u8>> {
        let values = reply.headers.get_all("x-many").iter();
        values.map(|value| value.as_bytes().to_vec()).collect()
    };
    assert_eq!(many(&found), [b"one".to_vec(), b"caf\xe9".to_vec()]);
    for name in [
        "etag",
        "date",
        "last-modified",
        "content-type",
        "cache-control",
    ] {
        assert_eq!(found.header(name), made.header(name), "{name}");
    }
    let operations = store.operations();
    assert!(other.get("/").await.is_hit());
    assert_eq!(store.operations(), operations, "from memory by now");
}

mod counted {
    use super::*;

    /// Counts its runs by what is asked for.
    pub(super) fn router(policy: fn() -> ViewPolicy) -> impl Fn() -> Router {
        let runs = Arc::new(AtomicU32::new(0));
        move || {
            let runs = Arc::clone(&runs);
            let handler = async move |request: Request| {
                let run = runs.fetch_add(1, SeqCst) + 1;
                let language = request.headers().get("accept-language");
                let language = language
                    .map_or("none", |it| it.to_str().unwrap())
                    .to_owned();
                let changes = if request.method() == Method::POST {
                    "changed".to_owned()
                } else {
                    format!("{language} {run}")
                };
                ([("vary", "accept-language")], changes)
            };
            let routes = get(handler.clone()).post(handler);
            Router::new()
                .route("/", routes)
                .layer(CacheLayer::new(policy()))
        }
    }

    pub(super) fn minute() -> ViewPolicy {
        ViewPolicy::new().timeout(Duration::from_secs(60))
    }
}

#[tokio::test]
async fn each_client_gets_its_variant_whoever_made_it() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, counted::router(counted::minute));
    let ask = async |instance: &Instance, language: &str| {
        let headers = [("accept-language", language)];
        instance.ask(Method::GET, "/", &headers).await.text()
    };
    assert_eq!(ask(&one, "de").await, "de 1");
    assert_eq!(ask(&other, "en").await, "en 2");
    assert_eq!(ask(&one, "en").await, "en 2");
    assert_eq!(ask(&other, "de").await, "de 1", "kept beside the other's");
    assert_eq!(ask(&other, "fr").await, "fr 3");
    let third = instance(&store, || one.router.clone(), Duration::from_secs(5));
    for (language, body) in [("de", "de 1"), ("en", "en 2"), ("fr", "fr 3")] {
        assert_eq!(ask(&third, language).await, body);
    }
    assert_eq!(third.get("/").await.text(), "none 4");
}

#[tokio::test]
async fn an_unsafe_request_reaches_the_store_before_it_is_answered() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, counted::router(counted::minute));
    assert_eq!(one.get("/").await.text(), "none 1");
    assert_eq!(other.ask(Method::POST, "/", &[]).await.text(), "changed");
    assert_eq!(
        other.get("/").await.text(),
        "none 3",
        "at once where it was made"
    );
    one.cache.advance(Duration::from_secs(5));
    assert_eq!(one.get("/").await.text(), "none 3");
}

#[tokio::test]
async fn what_all_hosts_share_is_shared_and_invalidated_whatever_host_was_asked() {
    let store = FaultyStore::new();
    let policy = || counted::minute().any_host();
    let [one, other] = two(&store, counted::router(policy));
    let (a, b) = ([("host", "a.test")], [("host", "b.test")]);
    assert_eq!(one.ask(Method::GET, "/", &a).await.text(), "none 1");
    assert_eq!(other.ask(Method::GET, "/", &b).await.text(), "none 1");
    other.ask(Method::POST, "/", &b).await;
    one.cache.advance(Duration::from_secs(5));
    assert_eq!(one.ask(Method::GET, "/", &a).await.text(), "none 3");
}

#[tokio::test]
async fn an_unsafe_request_is_answered_and_kept_where_the_store_is_down() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, counted::router(counted::minute));
    assert_eq!(one.get("/").await.text(), "none 1");
    store.fail(true);
    assert_eq!(other.ask(Method::POST, "/", &[]).await.text(), "changed");
    // The URL on its host, and where all hosts share their pages.
    assert_eq!(other.cache.store_status().unwrap().undelivered, 2);
    store.fail(false);
    assert_eq!(
        other.get("/").await.text(),
        "none 3",
        "what is announced is not read"
    );
}

#[tokio::test]
async fn every_form_of_invalidation_reaches_the_page_elsewhere() {
    type Say = fn(&Instance) -> dewar::Invalidation;
    let forms: [(&str, Say); 7] = [
        ("prefix", |it| it.cache.invalidation().prefix("page")),
        ("tag", |it| it.cache.invalidation().tag("pages")),
        ("url", |it| it.cache.invalidation().url("/")),
        ("url on its host", |it| {
            it.cache.invalidation().url("http://shop.test/")
        }),
        ("path", |it| it.cache.invalidation().path("/")),
        ("pattern", |it| it.cache.invalidation().pattern("pa*")),
        ("everything", |it| it.cache.invalidation().all()),
    ];
    for (name, say) in forms {
        let store = FaultyStore::new();
        let [one, other] = two(&store, pages::router);
        let before = one.get("/").await.text();
        assert_eq!(other.get("/").await.text(), before);
        say(&other).run().await.unwrap();
        let after = other.get("/").await.text();
        assert_ne!(after, before, "{name}");
        one.cache.advance(Duration::from_secs(5));
        assert_eq!(one.get("/").await.text(), after, "{name}");
    }
}

#[tokio::test]
async fn a_function_scope_reaches_the_page_elsewhere() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, pages::router);
    let before = one.get("/").await.text();
    let page = async { dewar::invalidate!(pages::page).await };
    other.cache.run_async(page).await.unwrap();
    one.cache.advance(Duration::from_secs(5));
    assert_ne!(one.get("/").await.text(), before);
}

#[tokio::test]
async fn a_layers_own_invalidation_reaches_its_pages_elsewhere() {
    let layer = || CacheLayer::new(counted::minute());
    let runs = Arc::new(AtomicU32::new(0));
    let router = |layer: CacheLayer| {
        let runs = Arc::clone(&runs);
        let handler = async move || (runs.fetch_add(1, SeqCst) + 1).to_string();
        Router::new().route("/", get(handler)).layer(layer)
    };
    let store = FaultyStore::new();
    let one = instance(&store, || router(layer()), Duration::from_secs(5));
    let mine = layer();
    let other = instance(&store, || router(mine.clone()), Duration::from_secs(5));
    assert_eq!(one.get("/").await.text(), "1");
    assert_eq!(other.get("/").await.text(), "1");
    let invalidated = other.cache.run(|| mine.invalidation().run());
    invalidated.await.unwrap();
    assert_eq!(other.get("/").await.text(), "2");
    one.cache.advance(Duration::from_secs(5));
    assert_eq!(one.get("/").await.text(), "2");
}

#[tokio::test]
async fn two_layers_of_one_name_do_not_serve_each_others_pages() {
    let router = || {
        let layer = || CacheLayer::new(counted::minute()).name("pages");
        Router::new()
            .route("/", get(async || "inner"))
            .layer(layer())
            .layer(axum::middleware::map_response(
                async |response: axum::response::Response| {
                    let (head, _) = response.into_parts();
                    axum::response::Response::from_parts(head, Body::from("outer"))
                },
            ))
            .layer(layer())
    };
    let store = FaultyStore::new();
    let [one, other] = two(&store, router);
    for instance in [&one, &other, &one] {
        assert_eq!(instance.get("/").await.text(), "outer");
        instance
            .cache
            .invalidation()
            .prefix("none")
            .run()
            .await
            .unwrap();
    }
    assert_eq!(one.cache.store_status().unwrap().memory_only, ["pages"]);
}

/// Waits until it is told to go on.
mod slow {
    use super::*;
    use tokio::sync::{Mutex, Notify};

    pub(super) static TURN: Mutex<()> = Mutex::const_new(());
    pub(super) static BEGUN: Notify = Notify::const_new();
    pub(super) static GO: Notify = Notify::const_new();
    pub(super) static DATA: AtomicU32 = AtomicU32::new(1);

    #[cached(view, timeout = 60, tags("slow"))]
    async fn page() -> String {
        let data = DATA.load(SeqCst);
        if data == 1 {
            BEGUN.notify_one();
            GO.notified().await;
        }
        format!("data {data}")
    }

    pub(super) fn router() -> Router {
        Router::new().route("/", get(page))
    }
}

async fn fence(store: FaultyStore) {
    let _turn = slow::TURN.lock().await;
    slow::DATA.store(1, SeqCst);
    let [one, other] = two(&store, slow::router).map(Arc::new);
    if store.listening() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let asked = Arc::clone(&one);
    let first = tokio::spawn(async move { asked.get("/").await.text() });
    slow::BEGUN.notified().await;
    slow::DATA.store(2, SeqCst);
    other.cache.invalidation().tag("slow").run().await.unwrap();
    slow::GO.notify_one();
    assert_eq!(first.await.unwrap(), "data 1", "it asked before");
    assert_eq!(
        other.get("/").await.text(),
        "data 2",
        "what came of it is void"
    );
    one.cache.advance(Duration::from_secs(5));
    // A message takes its time; what came of the load would stay for a minute.
    for _ in 0..400 {
        if one.get("/").await.text() == "data 2" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the page of the old data is still there");
}

#[tokio::test]
async fn a_page_whose_handler_began_before_an_invalidation_elsewhere_is_void() {
    fence(FaultyStore::new()).await;
}

#[tokio::test]
async fn the_same_where_the_store_pushes() {
    fence(FaultyStore::pushing()).await;
}

#[tokio::test]
async fn what_memory_may_hold_counts_from_when_the_handler_began() {
    let _turn = slow::TURN.lock().await;
    slow::DATA.store(1, SeqCst);
    let [one, other] = two(&FaultyStore::new(), slow::router).map(Arc::new);
    let asked = Arc::clone(&one);
    let first = tokio::spawn(async move { asked.get("/").await.text() });
    slow::BEGUN.notified().await;
    slow::DATA.store(2, SeqCst);
    other.cache.invalidation().tag("slow").run().await.unwrap();
    // The handler takes as long as copies live.
    one.cache.advance(Duration::from_secs(5));
    slow::GO.notify_one();
    assert_eq!(first.await.unwrap(), "data 1");
    assert_eq!(one.get("/").await.text(), "data 2");
}

#[tokio::test]
async fn who_asks_later_than_a_copy_would_live_is_not_given_the_page_of_a_handler_from_before() {
    let _turn = slow::TURN.lock().await;
    slow::DATA.store(1, SeqCst);
    let [one, other] = two(&FaultyStore::new(), slow::router).map(Arc::new);
    let ask = || {
        let asked = Arc::clone(&one);
        tokio::spawn(async move { asked.get("/").await.text() })
    };
    let first = ask();
    slow::BEGUN.notified().await;
    slow::DATA.store(2, SeqCst);
    other.cache.invalidation().tag("slow").run().await.unwrap();
    one.cache.advance(Duration::from_secs(5));
    let late = [ask(), ask(), ask()];
    while one.cache.stats().coalesced < 3 {
        tokio::task::yield_now().await;
    }
    slow::GO.notify_one();
    assert_eq!(first.await.unwrap(), "data 1");
    for late in late {
        assert_eq!(late.await.unwrap(), "data 2");
    }
    assert_eq!(one.cache.stats().loads, 2, "one for all of them");
}

mod users {
    use super::*;
    use serde::Serialize;

    /// Two users whose serialised form, or whose hash, does not tell them apart.
    macro_rules! user {
        ($name:ident, [$($derived:ident),*] $(, #[$attribute:meta])?) => {
            #[derive(Clone, PartialEq, Eq, $($derived),*)]
            pub(super) struct $name(u32, $(#[$attribute])? String);

            impl<S: Sync> FromRequestParts<S> for $name {
                type Rejection = StatusCode;

                async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
                    let user = parts.headers.get("cookie").ok_or(StatusCode::UNAUTHORIZED)?;
                    Ok($name(7, user.to_str().unwrap().to_owned()))
                }
            }
        };
    }

    user!(Known, [Hash, Serialize]);
    user!(HalfKnown, [Hash, Serialize], #[serde(skip)]);
    user!(Hashed, [Hash]);

    #[cached(view, timeout = 60)]
    async fn known(user: Known) -> String {
        user.1
    }

    #[cached(view, timeout = 60)]
    async fn half_known(user: HalfKnown) -> String {
        user.1
    }

    #[cached(view, timeout = 60)]
    async fn hashed(user: Hashed) -> String {
        user.1
    }

    #[cached(view, timeout = 60, key = user.1)]
    async fn named(user: Known) -> String {
        user.1
    }

    pub(super) fn router() -> Router {
        Router::new()
            .route("/known", get(known))
            .route("/half-known", get(half_known))
            .route("/hashed", get(hashed))
            .route("/named", get(named))
    }
}

#[tokio::test]
async fn a_page_of_one_user_never_reaches_another() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, users::router);
    for path in ["/known", "/half-known", "/hashed", "/named"] {
        for instance in [&one, &other, &one] {
            for user in ["ada", "bob", "eve"] {
                let reply = instance.ask(Method::GET, path, &[("cookie", user)]).await;
                assert_eq!(reply.text(), user, "{path}");
            }
            assert_eq!(instance.get(path).await.status, 401);
        }
    }
}

#[tokio::test]
async fn a_page_is_shared_where_the_key_says_all_that_it_was_made_of() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, users::router);
    for (path, shared) in [("/known", true), ("/hashed", false), ("/named", false)] {
        let ada = [("cookie", "ada")];
        one.ask(Method::GET, path, &ada).await;
        let reply = other.ask(Method::GET, path, &ada).await;
        assert_eq!(reply.is_hit(), shared, "{path}");
        let memory = one.ask(Method::GET, path, &ada).await;
        assert_eq!(memory.is_hit(), path != "/named", "{path}");
    }
}

#[tokio::test]
async fn damaged_bytes_are_a_miss_and_counted() {
    let store = FaultyStore::new();
    for change in [
        (|bytes: &mut Vec<u8>| bytes.truncate(40)) as fn(&mut Vec<u8>),
        |bytes| bytes[60] ^= 1,
        |bytes| bytes.clear(),
    ] {
        let [one, other] = two(&store, pages::router);
        let made = one.get("/").await;
        store.damage(":page:", change);
        let again = other.get("/").await;
        assert_eq!(again.status, 200);
        assert_ne!(again.body, made.body);
        assert_eq!(other.cache.stats().undecodable, 1);
        store.forget();
    }
}

#[tokio::test]
async fn a_store_that_fails_costs_a_run_and_nothing_else() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, pages::router);
    store.fail(true);
    let (a, b) = (one.get("/").await, other.get("/").await);
    assert_eq!((a.status, b.status), (StatusCode::OK, StatusCode::OK));
    assert_ne!(a.body, b.body);
    assert!(one.get("/").await.is_hit(), "from memory");
}

#[tokio::test]
async fn a_head_is_answered_from_what_another_process_stored() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, pages::router);
    let made = one.get("/").await;
    let head = other.ask(Method::HEAD, "/", &[]).await;
    assert!(head.is_hit() && head.body.is_empty());
    assert_eq!(head.header("content-length"), made.body.len().to_string());
    assert_eq!(other.cache.stats().loads, 0);
}

#[tokio::test]
async fn a_client_that_has_the_page_is_told_so_from_the_store() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, pages::router);
    let made = one.get("/").await;
    let condition = [("if-none-match", made.header("etag"))];
    let reply = other.ask(Method::GET, "/", &condition).await;
    assert_eq!(
        (reply.status, reply.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    assert_eq!(reply.header("etag"), made.header("etag"));
    assert_eq!(other.cache.stats().loads, 0);
}

#[tokio::test]
async fn it_goes_on_ageing_on_the_way() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, pages::router);
    one.get("/").await;
    other.cache.advance(Duration::from_secs(20));
    assert_eq!(other.get("/").await.header("age"), "20");
    other.cache.advance(Duration::from_secs(39));
    let found = other.get("/").await;
    assert_eq!((found.header("age"), found.is_hit()), ("59", true));
    other.cache.advance(Duration::from_secs(1));
    assert!(!other.get("/").await.is_hit(), "its minute is over");
}

#[tokio::test]
async fn a_stale_page_from_the_store_is_served_while_it_is_made_afresh() {
    let policy = || counted::minute().stale_while_revalidate(Duration::from_secs(60));
    let store = FaultyStore::new();
    let [one, other] = two(&store, counted::router(policy));
    assert_eq!(one.get("/").await.text(), "none 1");
    other.cache.advance(Duration::from_secs(70));
    assert_eq!(other.get("/").await.text(), "none 1");
    let stats = other.cache.stats();
    assert_eq!((stats.lookups(), stats.absent, stats.stale), (1, 1, 0));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let stats = other.cache.stats();
    assert_eq!((stats.fallbacks, stats.loads, stats.fetched), (1, 1, 0));
    assert_eq!(other.get("/").await.text(), "none 2");
}

#[tokio::test]
async fn who_asks_for_a_part_of_a_stale_page_from_the_store_has_it_made_afresh() {
    for fields in [("range", "bytes=0-3"), ("cache-control", "no-store")] {
        let policy = || counted::minute().stale_while_revalidate(Duration::from_secs(60));
        let store = FaultyStore::new();
        let [one, other] = two(&store, counted::router(policy));
        assert_eq!(one.get("/").await.text(), "none 1");
        other.cache.advance(Duration::from_secs(70));
        let part = other.ask(Method::GET, "/", &[fields]).await.text();
        assert!("none 1".starts_with(&part), "{part}");
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let stats = other.cache.stats();
        assert_eq!((stats.fallbacks, stats.loads, stats.fetched), (1, 1, 0));
        assert_eq!(other.get("/").await.text(), "none 2", "{fields:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_gone_is_gone_in_all_processes() {
    mod gone {
        use super::*;

        static RUNS: AtomicU32 = AtomicU32::new(0);

        #[cached(view, timeout = 60, stale_while_revalidate = "1d")]
        async fn page() -> Result<&'static str, StatusCode> {
            match RUNS.fetch_add(1, SeqCst) {
                0 => Ok("page"),
                _ => Err(StatusCode::NOT_FOUND),
            }
        }

        pub(super) fn router() -> Router {
            Router::new().route("/", get(page))
        }
    }
    let store = FaultyStore::new();
    let [one, other] = two(&store, gone::router);
    one.get("/").await;
    assert_eq!(other.get("/").await.text(), "page");
    for instance in [&one, &other] {
        instance.cache.advance(Duration::from_secs(70));
    }
    assert_eq!(one.get("/").await.text(), "page");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(one.get("/").await.status, 404);
    // What one process has found out is told by a thread of its own.
    while one.cache.store_status().unwrap().undelivered > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(other.get("/").await.status, 404);
}

#[tokio::test]
async fn with_no_copies_in_memory_every_read_asks_the_store() {
    let store = FaultyStore::new();
    let all = [(); 2].map(|()| instance(&store, pages::router, Duration::ZERO));
    let before = all[0].get("/").await.text();
    for _ in 0..3 {
        assert_eq!(all[0].get("/").await.text(), before);
        assert_eq!(all[1].get("/").await.text(), before);
    }
    all[0]
        .cache
        .invalidation()
        .tag("pages")
        .run()
        .await
        .unwrap();
    assert_ne!(all[1].get("/").await.text(), before, "at once");
}

#[tokio::test]
async fn a_layer_that_is_local_keeps_its_pages_to_itself() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, counted::router(|| counted::minute().local()));
    assert_eq!(one.get("/").await.text(), "none 1");
    assert_eq!(other.get("/").await.text(), "none 2");
    assert_eq!(store.operations(), 0);
}

#[tokio::test]
async fn only_if_cached_asks_the_store_and_not_the_handler() {
    let policy = || counted::minute().request_directives(true);
    let store = FaultyStore::new();
    let [one, other] = two(&store, counted::router(policy));
    let only = [("cache-control", "only-if-cached")];
    assert_eq!(other.ask(Method::GET, "/", &only).await.status, 504);
    one.get("/").await;
    assert_eq!(other.ask(Method::GET, "/", &only).await.text(), "none 1");
}

#[tokio::test]
async fn a_refresh_is_stored_for_all_who_have_no_copy() {
    mod refreshed {
        use super::*;
        static RUNS: AtomicU32 = AtomicU32::new(0);

        #[cached(view, timeout = 60, refresh_if = uri.query() == Some("refresh=1"), query(only("page")))]
        async fn page(uri: http::Uri) -> String {
            let _ = uri;
            (RUNS.fetch_add(1, SeqCst) + 1).to_string()
        }

        pub(super) fn router() -> Router {
            Router::new().route("/", get(page))
        }
    }
    let store = FaultyStore::new();
    let [one, other] = two(&store, refreshed::router);
    assert_eq!(one.get("/").await.text(), "1");
    assert_eq!(one.get("/?refresh=1").await.text(), "2");
    assert_eq!(other.get("/").await.text(), "2");
}

#[tokio::test]
async fn a_body_that_streams_is_written_when_it_is_whole() {
    use tokio_stream_free::stream;
    mod tokio_stream_free {
        use bytes::Bytes;
        use std::convert::Infallible;

        /// Pieces that come one after the other.
        pub(super) fn stream() -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
            futures::stream::unfold(0, async |n| {
                tokio::task::yield_now().await;
                (n < 3).then(|| (Ok(Bytes::from_static(b"piece ")), n + 1))
            })
        }
    }
    let store = FaultyStore::new();
    let router = || {
        let handler = async || Body::from_stream(stream());
        Router::new()
            .route("/", get(handler))
            .layer(CacheLayer::new(counted::minute()))
    };
    let [one, other] = two(&store, router);
    assert_eq!(one.get("/").await.text(), "piece piece piece ");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let found = other.get("/").await;
    assert!(found.is_hit());
    assert_eq!(found.text(), "piece piece piece ");
}

#[tokio::test]
async fn many_clients_at_once_ask_the_store_once() {
    let store = FaultyStore::new();
    let [one, other] = two(&store, pages::router);
    let made = one.get("/").await.text();
    let before = store.operations();
    let all = futures::future::join_all((0..20).map(|_| other.get("/"))).await;
    assert!(all.iter().all(|reply| reply.text() == made));
    assert_eq!(store.operations() - before, 1);
}

/// Says its query.
fn queried(policy: ViewPolicy) -> Router {
    let page = async |uri: http::Uri| uri.query().unwrap_or("none").to_owned();
    Router::new()
        .route("/", get(page))
        .layer(CacheLayer::new(policy))
}

#[tokio::test]
async fn instances_that_disagree_about_the_query_share_no_page() {
    let minute = counted::minute;
    let rules = [
        minute().ignore_query(["lang"]),
        minute().only_query(["page"]),
        minute().only_query(["page"]).ignore_query(["page"]),
        minute().only_query(["pa*"]),
        minute().only_query(Vec::<String>::new()),
        minute().sorted_query(),
        minute(),
    ];
    let store = FaultyStore::new();
    let instances = rules.map(|policy| {
        let router = || queried(policy.clone());
        instance(&store, router, Duration::from_secs(5))
    });
    for (number, instance) in instances.iter().enumerate() {
        // To some of them this is the page itself.
        let page = instance.get(&format!("/?lang={number}")).await;
        assert_eq!(page.text(), format!("lang={number}"));
        let page = instance.get("/").await.text();
        assert!(page == "none" || page == format!("lang={number}"), "{page}");
    }
}

#[tokio::test]
async fn instances_that_name_the_same_of_a_query_share_its_pages() {
    let rules = [["b", "a"], ["a", "b"]].map(|names| counted::minute().ignore_query(names));
    let store = FaultyStore::new();
    let [one, other] = rules.map(|policy| {
        let router = || queried(policy.clone());
        instance(&store, router, Duration::from_secs(5))
    });
    assert_eq!(one.get("/?a=1").await.text(), "a=1");
    assert!(other.get("/").await.is_hit());
}
