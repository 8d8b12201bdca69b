//! What `CacheLayer` does with what is stale, and with what is invalidated.
#![cfg(feature = "tower")]

#[path = "common/service.rs"]
mod service;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use dewar::http::{CacheLayer, Credentials, SetCookie, ViewPolicy};
use dewar::testing::TestCache;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use service::{Site, minute, site, text, with};
use tower::{Layer, ServiceExt, service_fn};

#[tokio::test]
async fn a_stale_response_is_validated_and_lives_on() {
    let site = site(ViewPolicy::proxy(), |request, run| {
        let fields = [("cache-control", "max-age=10"), ("etag", "\"a\"")];
        let mut response = with(run, &fields);
        if request
            .headers()
            .get("if-none-match")
            .is_some_and(|it| it == "\"a\"")
        {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Full::default();
            response
                .headers_mut()
                .insert("x-new", "yes".parse().unwrap());
        }
        response
    });
    site.get("/").await;
    site.advance(11);
    let validated = site.get("/").await;
    assert_eq!(
        (validated.status, validated.body.as_str()),
        (StatusCode::OK, "run 1")
    );
    assert_eq!(validated.header("x-new"), "yes");
    let status = "dewar; fwd=stale; fwd-status=304; ttl=10; stored";
    assert_eq!(validated.header("cache-status"), status);
    site.advance(9);
    assert_eq!(site.get("/").await.header("age"), "9");
    assert_eq!(site.runs(), 2);
}

#[tokio::test]
async fn stale_is_served_while_it_is_loaded_afresh() {
    let policy = minute().stale_while_revalidate(Duration::from_secs(30));
    let site = site(policy, |_, run| text(run));
    site.get("/").await;
    site.advance(70);
    let stale = site.get("/").await;
    assert_eq!(stale.body, "run 1");
    assert_eq!(stale.header("cache-status"), "dewar; hit; ttl=-10");
    tokio::task::yield_now().await;
    assert_eq!(site.runs(), 2);
    assert_eq!(site.get("/").await.body, "run 2");
    site.advance(91);
    assert_eq!(site.get("/").await.body, "run 3");
}

#[tokio::test]
async fn of_many_that_are_served_stale_one_loads_afresh() {
    let policy = minute().stale_while_revalidate(Duration::from_secs(30));
    let site = site(policy, |_, run| text(run));
    site.get("/").await;
    site.advance(70);
    let stale = (0..5).map(|_| site.get("/"));
    for reply in futures::future::join_all(stale).await {
        assert_eq!(reply.body, "run 1");
    }
    tokio::task::yield_now().await;
    assert_eq!(site.runs(), 2);
}

/// What a client says that wants something of its own.
const OF_ITS_OWN: [&[(&str, &str)]; 5] = [
    &[("range", "bytes=0-2")],
    &[("range", "bytes=0-2"), ("if-range", "\"a\"")],
    &[("if-range", "\"a\"")],
    &[("if-none-match", "\"b\"")],
    &[("cache-control", "no-store")],
];

#[tokio::test]
async fn a_client_that_is_given_a_part_of_what_is_stale_has_the_whole_loaded_for_others() {
    for fields in OF_ITS_OWN {
        for soft in [false, true] {
            // As an origin does that judges what it is asked.
            let site = site(ViewPolicy::proxy(), move |request, run| {
                let asked = request.headers();
                if asked.contains_key("range") || asked.contains_key("if-range") {
                    let mut part = with(run, &[("content-range", "bytes 0-2/5")]);
                    *part.status_mut() = StatusCode::PARTIAL_CONTENT;
                    return part;
                }
                if asked.contains_key("if-none-match") || asked.contains_key("cache-control") {
                    return otherwise("304", run);
                }
                with(
                    run,
                    &[("cache-control", "max-age=60, stale-while-revalidate=30")],
                )
            });
            site.get("/").await;
            if soft {
                let gone = site.cache.invalidation().url("/").soft();
                gone.run().await.unwrap();
            } else {
                site.advance(70);
            }
            let part = site.ask(Method::GET, "/", fields).await;
            assert!("run 1".starts_with(&part.body), "{fields:?}: {}", part.body);
            assert!(part.header("cache-status").contains("hit"), "{fields:?}");
            tokio::task::yield_now().await;
            assert_eq!(site.runs(), 2, "{fields:?}");
            assert_eq!(site.get("/").await.body, "run 2", "{fields:?}");
        }
    }
}

#[tokio::test]
async fn who_asks_for_a_part_learns_as_the_first_that_the_page_is_gone() {
    let site = site(day(), move |_, run| match run {
        1 => text(run),
        run => otherwise("404", run),
    });
    site.get("/").await;
    site.advance(70);
    let part = [("range", "bytes=0-2")];
    assert_eq!(site.ask(Method::GET, "/", &part).await.body, "run");
    tokio::task::yield_now().await;
    assert_eq!(site.get("/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_can_only_be_asked_for_its_head_is_not_served_stale_meanwhile() {
    let policy = minute().stale_while_revalidate(Duration::from_secs(30));
    let site = site(policy, |_, run| text(run));
    site.get("/").await;
    site.advance(70);
    // Behind a router the answer to a HEAD may come from another handler, and is no page for a GET.
    let head = site.ask(Method::HEAD, "/", &[]).await;
    assert!(!head.header("cache-status").contains("hit"));
    assert_eq!(site.runs(), 2);
    assert_eq!(site.get("/").await.body, "run 1");
}

#[tokio::test]
async fn stale_is_served_where_the_handler_fails() {
    let policy = minute().stale_if_error(Duration::from_secs(30));
    let site = site(policy, |_, run| {
        let mut response = text(run);
        if run > 1 {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    });
    site.get("/").await;
    site.advance(70);
    let stale = site.get("/").await;
    assert_eq!(
        (stale.status, stale.body.as_str()),
        (StatusCode::OK, "run 1")
    );
    let status = "dewar; fwd=stale; fwd-status=503; ttl=-10";
    assert_eq!(stale.header("cache-status"), status);
    site.advance(20);
    assert_eq!(site.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

/// The answer of a handler that has come to think otherwise of its page.
fn otherwise(what: &'static str, run: u32) -> http::Response<Full<bytes::Bytes>> {
    if let Ok(status) = what.parse() {
        let mut response = text(run);
        *response.status_mut() = status;
        return response;
    }
    match what {
        "too long" => http::Response::new(Full::from("x".repeat(1000))),
        "session" => with(run, &[("set-cookie", "session=1")]),
        control => with(run, &[("cache-control", control)]),
    }
}

fn day() -> ViewPolicy {
    let day = Duration::from_secs(24 * 3600);
    let policy = minute().stale_while_revalidate(day).stale_if_error(day);
    policy.body_limit(999)
}

#[tokio::test]
async fn a_page_that_proves_gone_or_private_is_served_to_nobody() {
    for what in [
        "404", "410", "403", "401", "302", "no-store", "private", "session",
    ] {
        let site = site(day(), move |_, run| match run {
            1 => text(run),
            run => otherwise(what, run),
        });
        site.get("/").await;
        site.advance(70);
        assert_eq!(site.get("/").await.body, "run 1", "{what}");
        tokio::task::yield_now().await;
        assert_eq!(site.runs(), 2, "{what}");
        let now = site.get("/").await;
        assert_eq!(now.body, "run 3", "{what}");
        let status = what.parse().unwrap_or(StatusCode::OK);
        assert_eq!(now.status, status, "{what}");
    }
}

#[tokio::test]
async fn what_says_nothing_of_the_page_leaves_it() {
    for what in ["400", "406", "429", "416", "431", "500", "501", "too long"] {
        let site = site(day(), move |_, run| match run {
            1 => text(run),
            run => otherwise(what, run),
        });
        site.get("/").await;
        for run in 1..4 {
            site.advance(70);
            assert_eq!(site.get("/").await.body, "run 1", "{what}");
            tokio::task::yield_now().await;
            assert_eq!(site.runs(), run + 1, "{what}");
        }
    }
}

#[tokio::test]
async fn what_is_said_to_one_client_leaves_the_page_of_the_others() {
    for client in [
        ("cookie", "session=1"),
        ("range", "bytes=1-"),
        ("cache-control", "no-store"),
    ] {
        let policy = minute().stale_if_error(Duration::from_secs(300));
        let site = site(policy, |_, run| match run {
            1 => text(run),
            2 => otherwise("404", run),
            run => otherwise("503", run),
        });
        site.get("/").await;
        site.advance(70);
        let own = site.ask(Method::GET, "/", &[client]).await;
        assert_eq!(own.status, StatusCode::NOT_FOUND, "{client:?}");
        assert_eq!(site.get("/").await.body, "run 1", "{client:?}");
    }
}

#[tokio::test]
async fn a_client_that_wants_no_copy_takes_the_page_from_nobody() {
    for what in ["404", "403", "302", "no-store"] {
        let site = site(minute().request_directives(true), move |_, run| match run {
            1 => text(run),
            run => otherwise(what, run),
        });
        site.get("/").await;
        let own = [("cache-control", "no-cache")];
        let own = site.ask(Method::GET, "/", &own).await;
        assert_eq!(site.runs(), 2, "{what}");
        let status = what.parse().unwrap_or(StatusCode::OK);
        assert_eq!(own.status, status, "{what}");
        assert_eq!(site.get("/").await.body, "run 1", "{what}");
    }
}

#[tokio::test]
async fn what_is_said_to_one_user_leaves_the_pages_of_the_others() {
    let policy = day().cookies(Credentials::Keyed);
    let site = site(policy, |_, run| match run {
        1 | 2 => text(run),
        run => otherwise("302", run),
    });
    let [ann, bob] = [("cookie", "user=ann"), ("cookie", "user=bob")];
    site.ask(Method::GET, "/", &[ann]).await;
    site.ask(Method::GET, "/", &[bob]).await;
    site.advance(70);
    site.ask(Method::GET, "/", &[ann]).await;
    tokio::task::yield_now().await;
    assert_eq!(site.runs(), 3);
    let bob = site.ask(Method::GET, "/", &[bob]).await;
    assert_eq!(bob.body, "run 2");
}

#[tokio::test]
async fn a_page_that_was_gone_does_not_come_back_where_the_handler_fails() {
    let policy = minute().stale_if_error(Duration::from_secs(24 * 3600));
    let site = site(policy, |_, run| match run {
        1 => text(run),
        2 => otherwise("410", run),
        run => otherwise("503", run),
    });
    site.get("/").await;
    site.advance(70);
    assert_eq!(site.get("/").await.status, StatusCode::GONE);
    assert_eq!(site.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_cookie_that_is_not_stored_is_kept_by_no_cache_on_the_way() {
    let policy = minute().set_cookie(SetCookie::Stripped);
    let policy = policy.cache_control("public, max-age=60".parse().unwrap());
    let site = site(policy, |request, run| {
        let mut response = with(run, &[("set-cookie", "session=1"), ("etag", "\"a\"")]);
        if request.headers().contains_key("if-none-match") {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        response
    });
    for run in 1..3 {
        let first = site.get("/").await;
        assert_eq!(
            (first.header("set-cookie"), site.runs()),
            ("session=1", run)
        );
        assert_eq!(first.header("cache-control"), "private, no-cache");
        let second = site.get("/").await;
        assert_eq!((second.header("set-cookie"), site.runs()), ("", run));
        assert_eq!(second.header("cache-control"), "public, max-age=60");
        site.advance(70);
    }
}

#[tokio::test]
async fn a_panic_is_answered_with_what_is_stale_or_goes_on() {
    let policy = minute().stale_if_error(Duration::from_secs(30));
    let site = Arc::new(site(policy, |_, run| {
        assert!(run == 1, "the handler fails");
        text(run)
    }));
    site.get("/").await;
    site.advance(70);
    assert_eq!(site.get("/").await.body, "run 1");
    site.advance(30);
    let other = Arc::clone(&site);
    let failed = tokio::spawn(async move { other.get("/").await.status }).await;
    assert!(failed.unwrap_err().is_panic());
}

#[tokio::test]
async fn an_unsafe_method_that_succeeds_invalidates_its_url() {
    let site = site(minute(), |request, run| {
        let mut response = text(run);
        match request.uri().path() {
            "/fails" => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
            "/moves" => {
                let headers = response.headers_mut();
                headers.insert("location", "/b?x=1".parse().unwrap());
                headers.insert("content-location", "//other.test/a".parse().unwrap());
            }
            _ => {}
        }
        response
    });
    for uri in ["/a", "/b?x=1", "/fails"] {
        site.get(uri).await;
    }
    for method in [
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::from_bytes(b"PURGE").unwrap(),
    ] {
        let before = site.get("/a").await.body;
        site.ask(method.clone(), "/a", &[]).await;
        assert_ne!(site.get("/a").await.body, before, "{method}");
    }
    let (a, b) = (site.get("/a").await.body, site.get("/b?x=1").await.body);
    site.ask(Method::POST, "/moves", &[]).await;
    assert_eq!(site.get("/a").await.body, a);
    assert_ne!(site.get("/b?x=1").await.body, b);
    let runs = site.runs();
    site.ask(Method::OPTIONS, "/a", &[]).await;
    site.ask(Method::POST, "/fails", &[]).await;
    site.get("/a").await;
    assert_eq!(
        site.get("/fails").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(site.runs(), runs + 3);
}

#[tokio::test]
async fn what_does_not_count_of_a_named_url_hides_no_page_from_an_unsafe_method() {
    for field in ["location", "content-location"] {
        let site = site(minute().ignore_query(["saved"]), move |request, run| {
            let mut response = text(run);
            if request.method() == Method::POST {
                *response.status_mut() = StatusCode::SEE_OTHER;
                let page = "/p/7?saved=1".parse().unwrap();
                response.headers_mut().insert(field, page);
            }
            response
        });
        assert_eq!(site.get("/p/7").await.body, "run 1");
        site.ask(Method::POST, "/p/7/edit", &[]).await;
        assert_eq!(site.get("/p/7").await.body, "run 3", "{field}");
        assert_eq!(site.get("/p/7?saved=1").await.body, "run 3", "{field}");
    }
}

#[tokio::test]
async fn what_is_cached_is_invalidated_by_url_path_prefix_tag_and_layer() {
    let site = site(minute(), |_, run| text(run));
    let uri = "/list?page=2&sort=price";
    type Form = fn(&Site) -> dewar::Invalidation;
    let forms: [(&str, Form, bool); 11] = [
        (
            "in any order",
            |it| it.cache.invalidation().url("/list?sort=price&page=2"),
            true,
        ),
        (
            "on its host",
            |it| {
                it.cache
                    .invalidation()
                    .url("http://shop.test/list?page=2&sort=price")
            },
            true,
        ),
        (
            "another host",
            |it| {
                it.cache
                    .invalidation()
                    .url("http://other.test/list?page=2&sort=price")
            },
            false,
        ),
        (
            "another query",
            |it| it.cache.invalidation().url("/list?page=2"),
            false,
        ),
        (
            "spelt otherwise",
            |it| it.cache.invalidation().url("/l%69st?page=2&sort=price"),
            true,
        ),
        ("path", |it| it.cache.invalidation().path("/list"), true),
        ("prefix", |it| it.cache.invalidation().prefix("shop"), true),
        (
            "another prefix",
            |it| it.cache.invalidation().prefix("sho"),
            false,
        ),
        ("tag", |it| it.cache.invalidation().tag("pages"), true),
        ("layer", |it| it.layer.invalidation(), true),
        ("all", |it| it.cache.invalidation().all(), true),
    ];
    for (name, form, expected) in forms {
        let before = site.get(uri).await.body;
        form(&site).run().wait().unwrap();
        assert_eq!(site.get(uri).await.body != before, expected, "{name}");
    }
    assert!(site.cache.invalidation().url("list").run().wait().is_err());
    assert!(
        site.cache
            .invalidation()
            .url("http://")
            .run()
            .wait()
            .is_err()
    );
}

#[tokio::test]
async fn what_is_softly_invalidated_is_served_while_it_is_loaded_afresh() {
    let policy = minute().stale_while_revalidate(Duration::from_secs(30));
    let site = site(policy, |_, run| text(run));
    site.get("/").await;
    site.cache
        .invalidation()
        .soft()
        .tag("pages")
        .run()
        .wait()
        .unwrap();
    assert_eq!(site.get("/").await.body, "run 1");
    tokio::task::yield_now().await;
    assert_eq!(site.get("/").await.body, "run 2");
    assert_eq!(site.runs(), 2);
}

#[tokio::test]
async fn a_load_that_began_before_an_invalidation_is_not_stored() {
    let cache = TestCache::new();
    let inner = cache.clone();
    let handler = service_fn(move |_: Request<()>| {
        let cache = inner.clone();
        async move {
            cache.invalidation().url("/").run().await.unwrap();
            Ok::<_, Infallible>(text(1))
        }
    });
    let service = CacheLayer::new(minute()).cache(&cache).layer(handler);
    let request = Request::builder().uri("/").body(()).unwrap();
    service.oneshot(request).await.unwrap();
    assert!(cache.is_empty());
}
