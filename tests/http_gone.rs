//! `CacheLayer`: which variants of a page an answer takes away that must not be stored.
#![cfg(feature = "tower")]

#[path = "common/service.rs"]
mod service;

use std::time::Duration;

use bytes::Bytes;
use dewar::http::{Credentials, ViewPolicy};
use dewar::testing::TestCache;
use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Full;
use service::{Site, minute, site, text, with};

const DE: &[(&str, &str)] = &[("accept-language", "de")];
const EN: &[(&str, &str)] = &[("accept-language", "en")];
const VARY: (&str, &str) = ("vary", "accept-language");

fn day() -> ViewPolicy {
    minute().stale_while_revalidate(Duration::from_secs(24 * 3600))
}

fn says(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get(name).is_some_and(|it| it == value)
}

fn is_german(request: &Request<()>) -> bool {
    says(request.headers(), "accept-language", "de")
}

fn answer(status: &str, fields: &[(&'static str, &'static str)]) -> Response<Full<Bytes>> {
    let mut response = with(0, fields);
    *response.status_mut() = status.parse().unwrap();
    response
}

/// The German page is stored a minute before the English one, and found to be stale.
async fn refreshed(site: &Site) {
    assert_eq!(site.ask(Method::GET, "/", DE).await.body, "run 1");
    site.advance(50);
    assert_eq!(site.ask(Method::GET, "/", EN).await.body, "run 2");
    site.advance(20);
    assert_eq!(site.ask(Method::GET, "/", DE).await.body, "run 1");
    tokio::task::yield_now().await;
    assert_eq!(site.runs(), 3);
}

/// Whether it is answered without the handler.
async fn has(site: &Site, fields: &[(&str, &str)]) -> bool {
    let runs = site.runs();
    let _ = site.ask(Method::GET, "/", fields).await;
    site.runs() == runs
}

/// Pages in two languages; from the third run on, what German clients are told.
fn site_with(
    policy: ViewPolicy,
    status: &'static str,
    fields: &'static [(&'static str, &'static str)],
) -> Site {
    site(policy, move |request, run| {
        match run > 2 && is_german(request) {
            true => answer(status, fields),
            false => with(run, &[VARY]),
        }
    })
}

#[tokio::test]
async fn an_answer_that_varies_takes_its_own_variant() {
    for status in ["404", "410", "302", "403"] {
        let site = site_with(day(), status, &[VARY]);
        refreshed(&site).await;
        assert!(has(&site, EN).await, "{status}");
        assert!(!has(&site, DE).await, "{status}");
        assert!(has(&site, EN).await, "{status}");
    }
    let private = &[VARY, ("cache-control", "private")];
    let site = site_with(day(), "200", private);
    refreshed(&site).await;
    assert!(has(&site, EN).await);
    assert!(!has(&site, DE).await);
}

#[tokio::test]
async fn an_answer_that_does_not_vary_is_for_all() {
    for status in ["404", "410", "302", "403"] {
        let site = site_with(day(), status, &[]);
        refreshed(&site).await;
        assert!(!has(&site, EN).await, "{status}");
        assert!(!has(&site, DE).await, "{status}");
    }
    let site = site_with(day(), "404", &[("vary", "*")]);
    refreshed(&site).await;
    assert!(!has(&site, EN).await);
}

#[tokio::test]
async fn what_the_policy_tells_apart_it_tells_apart_here_too() {
    let policy = day().vary([ACCEPT_LANGUAGE]);
    let site = site_with(policy, "404", &[]);
    refreshed(&site).await;
    assert!(has(&site, EN).await);
    assert!(!has(&site, DE).await);
}

#[tokio::test]
async fn no_page_is_gone_in_one_coding_alone() {
    const GZIP: (&str, &str) = ("accept-encoding", "gzip");
    let both = ("vary", "accept-encoding, accept-language");
    for (vary, english) in [(both, true), (("vary", "accept-encoding"), false)] {
        let site = site(day(), move |request, run| {
            match run > 4 && is_german(request) {
                true => answer("404", &[vary]),
                false => with(run, &[both]),
            }
        });
        let clients = [DE, EN].map(|it| [vec![it[0]], vec![it[0], GZIP]]);
        for client in clients.as_flattened() {
            site.ask(Method::GET, "/", client).await;
        }
        site.advance(70);
        let [[de, de_gzip], [en, en_gzip]] = &clients;
        assert!(
            site.ask(Method::GET, "/", de_gzip)
                .await
                .status
                .is_success()
        );
        tokio::task::yield_now().await;
        assert_eq!(site.runs(), 5);
        let stale = site.ask(Method::GET, "/", en).await;
        assert_eq!(stale.body == "run 3", english);
        let stale = site.ask(Method::GET, "/", en_gzip).await;
        assert_eq!(stale.body == "run 4", english);
        let gone = site.ask(Method::GET, "/", de).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn what_an_anonymous_client_is_told_leaves_the_pages_of_users() {
    let site = site(day().cookies(Credentials::Keyed), |request, run| {
        match run > 2 && !request.headers().contains_key("cookie") {
            true => answer("302", &[]),
            false => text(run),
        }
    });
    let ann: &[_] = &[("cookie", "user=ann")];
    site.ask(Method::GET, "/", ann).await;
    site.advance(50);
    site.get("/").await;
    site.advance(5);
    site.ask(Method::GET, "/", ann).await;
    site.advance(60);
    site.get("/").await;
    tokio::task::yield_now().await;
    assert_eq!(site.runs(), 3);
    assert_eq!(site.ask(Method::GET, "/", ann).await.body, "run 1");
    assert_eq!(site.get("/").await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_304_that_takes_its_response_back_is_about_that_one() {
    let site = site(ViewPolicy::proxy(), |request, run| {
        let fields = [("etag", "\"a\""), VARY, ("cache-control", "max-age=60")];
        match request.headers().contains_key("if-none-match") {
            true => answer("304", &[("etag", "\"a\""), ("cache-control", "no-store")]),
            false => with(run, &fields),
        }
    });
    site.ask(Method::GET, "/", DE).await;
    site.advance(50);
    site.ask(Method::GET, "/", EN).await;
    site.advance(20);
    assert_eq!(site.ask(Method::GET, "/", DE).await.body, "run 1");
    assert!(has(&site, EN).await);
    assert_eq!(site.ask(Method::GET, "/", DE).await.body, "run 4");
}

#[tokio::test]
async fn a_head_shows_what_is_outdated_of_its_own_variant() {
    let site = site(ViewPolicy::proxy(), |request, run| {
        let head = request.method() == Method::HEAD;
        let tag = ("etag", if head { "\"b\"" } else { "\"a\"" });
        with(run, &[tag, VARY, ("cache-control", "max-age=60")])
    });
    site.ask(Method::GET, "/", DE).await;
    site.advance(50);
    site.ask(Method::GET, "/", EN).await;
    site.advance(20);
    site.ask(Method::HEAD, "/", DE).await;
    assert!(has(&site, EN).await);
    let german = site.ask(Method::GET, "/", DE).await;
    assert!(german.header("cache-status").contains("fwd=vary-miss"));
}

#[tokio::test]
async fn what_stays_is_invalidated_as_before() {
    type Form = fn(&Site) -> dewar::Invalidation;
    let forms: [Form; 5] = [
        |it| it.cache.invalidation().url("/"),
        |it| it.cache.invalidation().path("/"),
        |it| it.cache.invalidation().tag("pages"),
        |it| it.cache.invalidation().prefix("shop"),
        |it| it.layer.invalidation(),
    ];
    for (at, form) in forms.into_iter().enumerate() {
        let site = site_with(day(), "404", &[VARY]);
        refreshed(&site).await;
        assert!(has(&site, EN).await, "{at}");
        form(&site).run().wait().unwrap();
        assert!(!has(&site, EN).await, "{at}");
    }
    let site = site_with(day(), "404", &[VARY]);
    refreshed(&site).await;
    site.ask(Method::POST, "/", EN).await;
    assert!(
        !has(&site, EN).await,
        "an unsafe method is about all variants"
    );
}

#[tokio::test]
async fn what_was_invalidated_meanwhile_does_not_stay() {
    let cache = std::sync::Arc::new(std::sync::OnceLock::<TestCache>::new());
    let inside = std::sync::Arc::clone(&cache);
    let site = site(day(), move |request, run| {
        if run > 2 && is_german(request) {
            let cache = inside.get().unwrap();
            cache.invalidation().tag("pages").run().wait().unwrap();
            return answer("404", &[VARY]);
        }
        with(run, &[VARY])
    });
    cache.set(site.cache.clone()).unwrap();
    refreshed(&site).await;
    assert!(!has(&site, EN).await);
}

/// One value holds all of them there.
#[cfg(feature = "stores")]
#[tokio::test]
async fn a_shared_store_loses_all_variants_and_memory_one() {
    let store = dewar::testing::FaultyStore::new();
    let [one, other] = [(); 2].map(|()| {
        let builder = dewar::Cache::builder().shared(store.clone());
        let builder = builder.memory_copies(Duration::from_secs(3600));
        let cache = TestCache::with(builder).unwrap();
        service::site_on(cache, day(), |request, run| {
            match run != 1 && is_german(request) {
                true => answer("404", &[VARY]),
                false => with(run, &[VARY]),
            }
        })
    });
    other.ask(Method::GET, "/elsewhere", EN).await;
    one.ask(Method::GET, "/", DE).await;
    for site in [&one, &other] {
        site.advance(50);
    }
    one.ask(Method::GET, "/", EN).await;
    for site in [&one, &other] {
        site.advance(20);
    }
    one.ask(Method::GET, "/", DE).await;
    tokio::task::yield_now().await;
    while one.runs() < 3 || one.cache.store_status().unwrap().undelivered > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(has(&one, EN).await);
    let gone = other.ask(Method::GET, "/", DE).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(!has(&other, EN).await);
}
