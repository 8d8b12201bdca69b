//! What `CacheLayer` does with what was softly invalidated: it counts as expired from then on.
#![cfg(feature = "tower")]

#[path = "common/service.rs"]
mod service;

use std::time::Duration;

use dewar::http::ViewPolicy;
use http::StatusCode;
use service::{Site, site, text};

/// A page for an hour, whose handler fails from the second run on, and that was softly invalidated.
async fn expired(policy: fn(ViewPolicy) -> ViewPolicy) -> Site {
    let hour = ViewPolicy::new().timeout(Duration::from_secs(3600));
    let site = site(policy(hour), |_, run| {
        let mut response = text(run);
        if run > 1 {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    });
    site.get("/").await;
    let soft = site.cache.invalidation().soft().all();
    soft.run().wait().unwrap();
    assert_eq!(site.get("/").await.body, "run 1");
    site
}

#[tokio::test]
async fn it_is_served_where_a_load_fails_for_as_long_as_the_page_says() {
    let site = expired(|it| it.stale_if_error(Duration::from_secs(3600))).await;
    for after in [400, 3199] {
        site.advance(after);
        site.cache.sweep();
        assert_eq!(site.get("/").await.body, "run 1");
    }
    site.advance(1);
    assert_eq!(site.get("/").await.status, 503);
}

#[tokio::test]
async fn and_no_longer() {
    let site = expired(|it| it.stale_if_error(Duration::from_secs(30))).await;
    site.advance(29);
    assert_eq!(site.get("/").await.body, "run 1");
    site.advance(1);
    assert_eq!(site.get("/").await.status, 503);
}

#[tokio::test]
async fn nor_while_it_is_loaded_afresh() {
    let site = expired(|it| it.stale_while_revalidate(Duration::from_secs(30))).await;
    site.advance(29);
    assert_eq!(site.get("/").await.body, "run 1");
    site.advance(1);
    assert_eq!(site.get("/").await.status, 503);
}

#[tokio::test]
async fn it_goes_when_the_page_itself_would_be_of_no_use() {
    let site = expired(|it| it.etag(false).stale_if_error(Duration::from_secs(600))).await;
    site.advance(3600 + 599);
    site.cache.sweep();
    assert_eq!(site.cache.len(), 1);
    site.advance(1);
    site.cache.sweep();
    assert_eq!(site.cache.len(), 0);
}
