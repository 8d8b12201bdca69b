//! `CacheLayer`: after a load that failed, what is stale is served for a while without another.
#![cfg(feature = "tower")]

#[path = "common/service.rs"]
mod service;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dewar::http::{CacheFuture, ViewPolicy};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use service::{Site, minute, site, text, with};
use tower::Service;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn failure() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

/// The first run answers, all others fail; the page is stale by ten seconds.
async fn dead(policy: ViewPolicy) -> Site {
    let site = site(policy, |_, run| match run {
        1 => text(run),
        _ => failure(),
    });
    site.get("/").await;
    site.advance(70);
    site
}

#[tokio::test]
async fn a_handler_that_fails_is_asked_once_in_a_while() {
    let policy = minute().stale_if_error(seconds(300));
    for (policy, retry) in [(policy.clone(), 1), (policy.retry(seconds(5)), 5)] {
        let site = dead(policy).await;
        for run in 2..5 {
            let failed = site.get("/").await;
            assert_eq!((failed.body.as_str(), site.runs()), ("run 1", run));
            assert!(failed.header("cache-status").contains("fwd-status=503"));
            for _ in 0..retry {
                for method in [Method::GET, Method::GET, Method::HEAD] {
                    let held = site.ask(method, "/", &[]).await;
                    assert_eq!((held.status, site.runs()), (StatusCode::OK, run));
                    let said = held.header("cache-status");
                    assert!(said.starts_with("dewar; hit; ttl=-"), "{said}");
                }
                site.advance(1);
            }
        }
        let stats = site.cache.stats();
        assert_eq!((stats.fallbacks, stats.stale), (3, 9 * retry));
    }
}

#[tokio::test]
async fn without_a_pause_each_burst_asks() {
    let policy = minute().stale_if_error(seconds(300)).retry(Duration::ZERO);
    let site = dead(policy).await;
    for run in 2..5 {
        assert_eq!(site.get("/").await.body, "run 1");
        assert_eq!(site.runs(), run);
    }
}

#[tokio::test]
async fn a_refresh_in_the_background_that_fails_is_not_tried_again_at_once() {
    let policy = minute().stale_while_revalidate(seconds(300));
    let site = dead(policy.retry(seconds(5))).await;
    for run in 2..5 {
        for _ in 0..5 {
            assert_eq!(site.get("/").await.body, "run 1");
            tokio::task::yield_now().await;
            assert_eq!(site.runs(), run);
            site.advance(1);
        }
    }
}

#[tokio::test]
async fn a_page_that_comes_back_is_served_when_it_is_tried() {
    let up = Arc::new(AtomicBool::new(true));
    let is_up = Arc::clone(&up);
    let policy = minute().stale_if_error(seconds(300));
    let site = site(policy, move |_, run| match is_up.load(Ordering::SeqCst) {
        true => text(run),
        false => failure(),
    });
    site.get("/").await;
    site.advance(70);
    up.store(false, Ordering::SeqCst);
    assert_eq!(site.get("/").await.body, "run 1");
    up.store(true, Ordering::SeqCst);
    assert_eq!(site.get("/").await.body, "run 1");
    site.advance(1);
    assert_eq!(site.get("/").await.body, "run 3");
    assert_eq!(
        site.get("/").await.header("cache-status"),
        "dewar; hit; ttl=60"
    );
}

#[tokio::test]
async fn the_time_for_what_is_stale_ends_all_the_same() {
    let policy = minute().stale_if_error(seconds(12)).retry(seconds(300));
    let site = dead(policy).await;
    assert_eq!(site.get("/").await.body, "run 1");
    site.advance(1);
    assert_eq!(
        (site.get("/").await.body.as_str(), site.runs()),
        ("run 1", 2)
    );
    site.advance(1);
    assert_eq!(site.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.runs(), 4);
}

#[tokio::test]
async fn what_was_invalidated_meanwhile_is_not_served() {
    let policy = minute().stale_if_error(seconds(300)).retry(seconds(300));
    let site = dead(policy).await;
    assert_eq!(site.get("/").await.body, "run 1");
    site.cache.invalidation().url("/").run().wait().unwrap();
    assert_eq!(site.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn who_wants_nothing_stale_asks_where_that_is_obeyed() {
    let policy = minute()
        .stale_if_error(seconds(300))
        .request_directives(true);
    let site = dead(policy).await;
    assert_eq!(
        (site.get("/").await.body.as_str(), site.runs()),
        ("run 1", 2)
    );
    let fresh = [("cache-control", "no-cache")];
    let own = site.ask(Method::GET, "/", &fresh).await;
    assert_eq!((own.body.as_str(), site.runs()), ("run 1", 3));
    assert_eq!(
        (site.get("/").await.body.as_str(), site.runs()),
        ("run 1", 3)
    );
}

#[tokio::test]
async fn variants_are_tried_each_for_itself() {
    let policy = minute().stale_if_error(seconds(300));
    let policy = policy.vary([http::header::ACCEPT_LANGUAGE]);
    let site = site(policy, |_, run| match run {
        1 | 2 => text(run),
        _ => failure(),
    });
    let [de, en] = ["de", "en"].map(|it| [("accept-language", it)]);
    site.ask(Method::GET, "/", &de).await;
    site.ask(Method::GET, "/", &en).await;
    site.advance(70);
    for (language, body, runs) in [(&de, "run 1", 3), (&en, "run 2", 4)] {
        for _ in 0..3 {
            let stale = site.ask(Method::GET, "/", language).await;
            assert_eq!((stale.body.as_str(), site.runs()), (body, runs));
        }
    }
}

/// It looks now, and begins to wait or to lead when it is polled.
fn late(site: &Site) -> CacheFuture<Infallible> {
    let request = Request::builder().uri("/").header("host", "shop.test");
    site.service.clone().call(request.body(()).unwrap())
}

#[tokio::test]
async fn who_comes_to_its_turn_after_the_failure_does_not_ask_again() {
    let site = dead(minute().stale_if_error(seconds(300))).await;
    let late = late(&site);
    assert_eq!(site.get("/").await.body, "run 1");
    let late = late.await.unwrap();
    let said = "dewar; fwd=stale; ttl=-10; collapsed";
    assert_eq!(late.headers()["cache-status"], said);
    let body = late.into_body().collect().await.unwrap().to_bytes();
    assert_eq!((&*body, site.runs()), (&b"run 1"[..], 2));
}

#[tokio::test]
async fn who_comes_to_its_turn_after_an_invalidation_does() {
    let site = dead(minute().stale_if_error(seconds(300))).await;
    let late = late(&site);
    site.get("/").await;
    site.cache.invalidation().url("/").run().wait().unwrap();
    late.await.unwrap();
    assert_eq!(site.runs(), 3);
}

#[tokio::test]
async fn what_one_clients_session_may_have_done_holds_nobody_else_back() {
    for (code, held) in [(500, false), (503, true)] {
        let policy = minute().stale_if_error(seconds(300));
        let site = site(policy, move |_, run| {
            let mut response = with(run, &[("cache-control", "public")]);
            if run > 1 {
                *response.status_mut() = StatusCode::from_u16(code).unwrap();
            }
            response
        });
        site.get("/").await;
        site.advance(70);
        let session = [("cookie", "session=1")];
        let own = site.ask(Method::GET, "/", &session).await;
        assert_eq!((own.body.as_str(), site.runs()), ("run 1", 2), "{code}");
        let other = site.get("/").await;
        assert_eq!(other.body, "run 1", "{code}");
        assert_eq!(site.runs() == 2, held, "{code}");
        // That was anybody's.
        let runs = site.runs();
        assert_eq!(site.get("/").await.body, "run 1");
        assert_eq!(site.runs(), runs);
    }
}
