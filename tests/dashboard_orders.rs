//! What may be invalidated from the dashboard's page, and by whom.
#![cfg(feature = "dashboard")]

#[path = "common/dashboard.rs"]
mod common;

use axum::http::StatusCode;
use common::{OURS, ask, mounted, order, text, token};
use dewar::cached;
use dewar::dashboard::Dashboard;
use dewar::testing::TestCache;
use serde_json::json;

#[cached(timeout = 60, key_prefix = "price:{id}", tags("prices"))]
fn price(id: u64) -> Result<u64, String> {
    match id {
        13 => Err("no such price".into()),
        id => Ok(id * 100),
    }
}

/// Headers that say where a request is from.
type From<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn what_is_invalidated_is_gone_at_the_next_read() {
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache).allow_invalidation());
    let token = token(&app).await;
    let loads = || {
        cache.run(|| (price(1), price(2))).0.unwrap();
        cache.stats().loads
    };
    assert_eq!((loads(), loads()), (2, 2));
    let orders = [
        (
            json!({ "cache": "default", "what": "prefix", "name": "price:1" }),
            3,
        ),
        (
            json!({ "cache": "default", "what": "tag", "name": "prices" }),
            5,
        ),
        (
            json!({ "cache": "default", "what": "function", "name": "dashboard_orders::price" }),
            7,
        ),
        (json!({ "cache": "default", "what": "all" }), 9),
    ];
    for (body, expected) in orders {
        let response = ask(&app, order(&token, &OURS, body.clone())).await;
        assert_eq!(response.status(), StatusCode::OK, "{body}");
        assert_eq!(loads(), expected, "{body}");
    }
}

#[tokio::test]
async fn only_the_page_itself_may_invalidate() {
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache).allow_invalidation());
    let token = token(&app).await;
    cache.run(|| price(1)).unwrap();
    let all = || json!({ "cache": "default", "what": "all" });
    let refused: [(&str, &str, From<'_>); 7] = [
        ("no token", "", &OURS),
        ("a wrong one", "0123456789abcdef0123456789abcdef", &OURS),
        ("another site", &token, &[("sec-fetch-site", "cross-site")]),
        ("a sibling", &token, &[("sec-fetch-site", "same-site")]),
        (
            "another origin",
            &token,
            &[("origin", "https://evil.example")],
        ),
        ("an origin of no name", &token, &[("origin", "null")]),
        ("nobody in particular", &token, &[]),
    ];
    for (what, token, from) in refused {
        let response = ask(&app, order(token, from, all())).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{what}");
    }
    assert_eq!(cache.stats().invalidations, 0);
    let older = [("origin", "https://shop.example")];
    assert_eq!(
        ask(&app, order(&token, &older, all())).await.status(),
        StatusCode::OK
    );
    assert_eq!(cache.stats().invalidations, 1);
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused_in_words() {
    let cache = TestCache::new();
    let app = mounted(Dashboard::new().cache(&cache).allow_invalidation());
    let token = token(&app).await;
    let refused = [
        (
            json!({ "cache": "default", "what": "prefix", "name": " " }),
            400,
            "say which",
        ),
        (
            json!({ "cache": "default", "what": "world" }),
            400,
            "unknown variant",
        ),
        (
            json!({ "cache": "other", "what": "all" }),
            404,
            "no such cache",
        ),
        (
            json!({ "cache": "default", "what": "function", "name": "nobody::knows" }),
            404,
            "no function",
        ),
        (
            json!({ "cache": "default", "what": "tag", "name": "x".repeat(9_000) }),
            413,
            "too long",
        ),
        (
            json!({ "cache": "default", "what": "prefix", "name": ":" }),
            502,
            "names no level",
        ),
        (json!(7), 400, ""),
    ];
    for (body, status, words) in refused {
        let response = ask(&app, order(&token, &OURS, body.clone())).await;
        assert_eq!(response.status(), status, "{body}");
        let said = text(response).await;
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn without_the_switch_there_is_no_route_and_no_token() {
    let app = mounted(Dashboard::new());
    assert_eq!(token(&app).await, "");
    let body = json!({ "cache": "default", "what": "all" });
    let status = ask(&app, order("", &OURS, body)).await.status();
    assert_eq!(status, StatusCode::NOT_FOUND);
}
