//! A 304 that speaks of another response than the one that is stored (RFC 9111, section 4.3.4).
#![cfg(feature = "tower")]

#[path = "common/service.rs"]
mod service;

use std::convert::Infallible;

use bytes::Bytes;
use dewar::http::{CacheLayer, ViewPolicy};
use dewar::testing::TestCache;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full, Limited};
use service::{Reply, Site, site, with};
use tower::{Layer, ServiceExt, service_fn};

const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

fn not_modified(fields: &[(&'static str, &'static str)]) -> Response<Full<Bytes>> {
    let mut response = with(0, fields);
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.body_mut() = Full::default();
    response
}

fn is_conditional<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    headers.contains_key("if-none-match") || headers.contains_key("if-modified-since")
}

/// The first response has the tag `"a"`, all others `"b"`; what is asked under conditions is answered
/// by a 304 with `said`.
fn changed(said: &'static [(&'static str, &'static str)]) -> Site {
    site(ViewPolicy::proxy(), move |request, run| {
        let tag = if run == 1 { "\"a\"" } else { "\"b\"" };
        match is_conditional(request) {
            true => not_modified(said),
            false => with(run, &[("cache-control", "max-age=10"), ("etag", tag)]),
        }
    })
}

async fn stale(site: &Site) {
    assert_eq!(site.get("/").await.body, "run 1");
    site.advance(11);
}

#[tokio::test]
async fn another_tag_is_asked_again_for_the_whole() {
    let site = changed(&[("cache-control", "max-age=100"), ("etag", "\"b\"")]);
    stale(&site).await;
    let reply = site.get("/").await;
    let told = (reply.status, &*reply.body, reply.header("etag"));
    assert_eq!(told, (StatusCode::OK, "run 3", "\"b\""));
    let hit = site.get("/").await;
    assert_eq!((&*hit.body, hit.header("etag")), ("run 3", "\"b\""));
    assert_eq!(hit.header("cache-control"), "max-age=10");
    assert_eq!(site.runs(), 3);
}

#[tokio::test]
async fn whoever_has_the_new_one_is_told_so() {
    let site = changed(&[("etag", "\"b\"")]);
    stale(&site).await;
    for (tag, status) in [("\"b\"", 304), ("\"a\"", 200)] {
        let reply = site.ask(Method::GET, "/", &[("if-none-match", tag)]).await;
        assert_eq!(reply.status, status, "{tag}");
        assert_eq!(reply.header("etag"), "\"b\"", "{tag}");
    }
    assert_eq!(site.runs(), 3);
}

#[tokio::test]
async fn a_weaker_tag_of_the_same_name_is_no_other() {
    let site = changed(&[("cache-control", "max-age=100"), ("etag", "W/\"a\"")]);
    stale(&site).await;
    let reply = site.get("/").await;
    let told = (&*reply.body, reply.header("etag"), site.runs());
    assert_eq!(told, ("run 1", "\"a\"", 2));
}

#[tokio::test]
async fn another_date_is_asked_again_too() {
    let site = site(ViewPolicy::proxy(), move |request, run| {
        let fresh = ("cache-control", "max-age=10");
        match (is_conditional(request), run) {
            (true, _) => not_modified(&[("last-modified", "Sun, 06 Nov 1994 08:49:38 GMT")]),
            (false, _) => with(run, &[fresh, ("last-modified", THEN)]),
        }
    });
    stale(&site).await;
    assert_eq!((&*site.get("/").await.body, site.runs()), ("run 3", 3));
}

#[tokio::test]
async fn who_says_so_without_being_asked_is_no_gateway() {
    let site = site(ViewPolicy::proxy(), |_, run| match run {
        2 | 3 => not_modified(&[("etag", "\"b\"")]),
        _ => with(run, &[("cache-control", "max-age=10"), ("etag", "\"a\"")]),
    });
    stale(&site).await;
    let reply = site.get("/").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::BAD_GATEWAY, ""));
    let status = reply.header("cache-status");
    assert_eq!(status, "dewar; fwd=stale; fwd-status=304");
    // The next one is asked for the whole at once.
    assert_eq!((&*site.get("/").await.body, site.runs()), ("run 4", 4));
}

/// A server's own type: nobody knows how to make one.
type Foreign = Limited<Empty<Bytes>>;

async fn foreign(layer: CacheLayer, client: &[(&str, &str)]) -> Reply {
    let cache = TestCache::new();
    let origin = service_fn(|request: Request<Foreign>| async move {
        let fresh = ("cache-control", "max-age=10");
        let tags = ["\"a\"", "\"b\""].map(|tag| [fresh, ("etag", tag)]);
        let headers = request.headers();
        let first = headers.contains_key("first");
        Ok::<_, Infallible>(match is_conditional(&request) {
            true => not_modified(&tags[1]),
            false => with(1, &tags[usize::from(!first)]),
        })
    });
    let service = layer.cache(&cache).layer(origin);
    let ask = async |fields: &[(&str, &str)]| {
        let mut request = Request::builder().uri("http://shop.test/");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let body = Limited::new(Empty::new(), 0);
        let response = service.clone().oneshot(request.body(body).unwrap());
        let (head, body) = response.await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    };
    assert_eq!(ask(&[("first", "1")]).await.header("etag"), "\"a\"");
    cache.advance(std::time::Duration::from_secs(11));
    let reply = ask(client).await;
    let next = ask(&[]).await;
    assert_eq!(
        (next.status, next.header("etag")),
        (StatusCode::OK, "\"b\"")
    );
    reply
}

#[tokio::test]
async fn without_a_body_to_ask_again_with_nothing_old_is_served() {
    let layer = || CacheLayer::new(ViewPolicy::proxy()).request_body::<Foreign>();
    let reply = foreign(layer(), &[]).await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::BAD_GATEWAY, ""));
    let same = foreign(layer(), &[("if-none-match", "\"b\"")]).await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    assert_eq!(same.header("etag"), "\"b\"");
}

#[tokio::test]
async fn a_body_is_made_as_the_layer_was_told() {
    let layer = CacheLayer::new(ViewPolicy::proxy())
        .request_body_with::<Foreign>(|| Limited::new(Empty::new(), 0));
    let reply = foreign(layer, &[]).await;
    assert_eq!(
        (reply.status, reply.header("etag")),
        (StatusCode::OK, "\"b\"")
    );
}
