//! What `CacheLayer` does, in process and with a clock that is moved by hand.
#![cfg(feature = "tower")]

#[path = "common/service.rs"]
mod service;

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use dewar::http::{CacheLayer, ViewPolicy};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use service::{minute, site, text, with};
use tower::{Layer, ServiceExt, service_fn};

#[tokio::test]
async fn a_response_is_served_until_its_time_is_over() {
    let site = site(minute(), |_, run| text(run));
    assert_eq!(site.get("/").await.body, "run 1");
    site.advance(59);
    let hit = site.get("/").await;
    assert_eq!((hit.body.as_str(), hit.header("age")), ("run 1", "59"));
    assert_eq!(hit.header("cache-status"), "dewar; hit; ttl=1");
    site.advance(1);
    assert_eq!(site.get("/").await.body, "run 2");
    assert_eq!((site.cache.stats().hits, site.cache.stats().loads), (1, 2));
}

#[tokio::test]
async fn a_response_without_freshness_is_not_stored_where_there_is_no_timeout() {
    let site = site(ViewPolicy::new(), |_, run| text(run));
    assert_eq!(site.get("/").await.body, "run 1");
    assert_eq!(site.get("/").await.body, "run 2");
    assert!(site.cache.is_empty());
}

#[tokio::test]
async fn a_timeout_is_for_statuses_that_http_calls_cacheable() {
    let answered = |status: u16, field: &'static str| {
        site(
            ViewPolicy::proxy().timeout(Duration::from_secs(60)),
            move |_, run| {
                let mut response = with(run, &[("cache-control", field)]);
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                response
            },
        )
    };
    for (field, status, stored) in [
        ("", 200, true),
        ("", 301, true),
        ("", 404, true),
        ("", 410, true),
        ("", 201, false),
        ("", 302, false),
        ("", 403, false),
        ("", 500, false),
        ("", 503, false),
        ("public", 302, true),
        ("max-age=60", 302, true),
        ("max-age=60", 503, true),
    ] {
        let site = answered(status, field);
        site.get("/").await;
        site.get("/").await;
        assert_eq!(site.runs() == 1, stored, "{status} {field}");
    }
}

#[tokio::test]
async fn clients_are_told_to_ask_again_and_get_a_304() {
    let site = site(minute(), |_, run| text(run));
    let first = site.get("/").await;
    assert_eq!(first.header("cache-control"), "no-cache");
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with('"'), "{etag}");
    assert!(!first.header("last-modified").is_empty());
    let again = site
        .ask(Method::GET, "/", &[("if-none-match", &etag)])
        .await;
    assert_eq!(
        (again.status, again.body.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
    assert_eq!(again.header("etag"), etag);
    assert_eq!(site.runs(), 1);
}

#[tokio::test]
async fn what_the_handler_says_itself_is_left_alone() {
    let site = site(minute(), |_, run| {
        with(run, &[("cache-control", "max-age=5"), ("etag", "\"mine\"")])
    });
    let first = site.get("/").await;
    assert_eq!(first.header("cache-control"), "max-age=5");
    assert_eq!(first.header("etag"), "\"mine\"");
    site.advance(5);
    assert_eq!(site.get("/").await.body, "run 2");
}

#[tokio::test]
async fn variants_of_one_url_live_side_by_side() {
    let site = site(minute(), |request, _| {
        let language = request.headers().get("accept-language");
        let language = language.map_or("none", |value| value.to_str().unwrap());
        let mut response = Response::new(Full::new(Bytes::from(language.to_owned())));
        let vary = "Accept-Language".parse().unwrap();
        response.headers_mut().insert(header::VARY, vary);
        response
    });
    for language in ["en", "de", "en", "de"] {
        let reply = site
            .ask(Method::GET, "/", &[("accept-language", language)])
            .await;
        assert_eq!(reply.body, language);
    }
    assert_eq!(site.get("/").await.body, "none");
    assert_eq!(site.runs(), 3);
    assert_eq!(site.cache.len(), 1);
}

#[tokio::test]
async fn the_number_of_variants_is_bounded() {
    let policy = minute().max_variants(4).vary([header::USER_AGENT]);
    let site = site(policy, |_, run| text(run));
    for agent in 0..50 {
        let agent = format!("agent {agent}");
        let reply = site.ask(Method::GET, "/", &[("user-agent", &agent)]).await;
        assert_eq!(reply.header("vary"), "user-agent");
    }
    site.ask(Method::GET, "/", &[("user-agent", "agent 49")])
        .await;
    assert_eq!(site.runs(), 50);
    site.ask(Method::GET, "/", &[("user-agent", "agent 0")])
        .await;
    assert_eq!(site.runs(), 51);
}

#[tokio::test]
async fn the_variant_in_use_outlives_those_that_somebody_made_up() {
    for policy in [
        minute(),
        minute().stale_while_revalidate(Duration::from_secs(3600)),
    ] {
        let site = site(
            policy.max_variants(4).vary([header::USER_AGENT]),
            |_, run| text(run),
        );
        let ask = async |agent: &str| {
            let fields = [("user-agent", agent)];
            site.ask(Method::GET, "/", &fields).await.body
        };
        assert_eq!(ask("in use").await, "run 1");
        for agent in 0..20 {
            ask(&format!("agent {agent}")).await;
            site.advance(1);
            assert_eq!(ask("in use").await, "run 1", "{agent}");
        }
        // Of the others the last ones are there.
        for (agent, there) in [(19, true), (18, true), (16, false)] {
            let runs = site.runs();
            ask(&format!("agent {agent}")).await;
            assert_eq!(site.runs() == runs, there, "{agent}");
        }
    }
}

#[tokio::test]
async fn a_client_with_its_own_condition_still_fills_the_cache() {
    let site = site(minute(), |request, run| {
        assert!(!request.headers().contains_key("if-none-match"));
        text(run)
    });
    let other = site
        .ask(Method::GET, "/", &[("if-none-match", "\"other\"")])
        .await;
    assert_eq!(
        (other.status, other.body.as_str()),
        (StatusCode::OK, "run 1")
    );
    let etag = other.header("etag").to_owned();
    let site = self::site(minute(), |_, _| text(1));
    let same = site
        .ask(Method::GET, "/", &[("if-none-match", &etag)])
        .await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    assert_eq!(site.get("/").await.body, "run 1");
    assert_eq!(site.runs(), 1);
}

#[tokio::test]
async fn a_head_is_answered_from_a_get_and_never_makes_one() {
    let site = site(minute(), |_, run| text(run));
    site.ask(Method::HEAD, "/", &[]).await;
    assert!(site.cache.is_empty());
    site.get("/").await;
    let head = site.ask(Method::HEAD, "/", &[]).await;
    assert_eq!(
        (head.body.as_str(), head.header("content-length")),
        ("", "5")
    );
    assert_eq!(site.runs(), 2);
}

#[tokio::test]
async fn ranges_are_cut_from_what_is_whole() {
    let site = site(minute(), |_, run| text(run));
    let missed = site.ask(Method::GET, "/", &[("range", "bytes=0-2")]).await;
    assert_eq!(
        (missed.status, missed.body.as_str()),
        (StatusCode::PARTIAL_CONTENT, "run")
    );
    let part = site.ask(Method::GET, "/", &[("range", "bytes=4-")]).await;
    assert_eq!(
        (part.status, part.body.as_str()),
        (StatusCode::PARTIAL_CONTENT, "1")
    );
    assert_eq!(part.header("content-range"), "bytes 4-4/5");
    let beyond = site.ask(Method::GET, "/", &[("range", "bytes=9-")]).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.header("content-range"), "bytes */5");
    let changed = [("range", "bytes=0-2"), ("if-range", "\"other\"")];
    let whole = site.ask(Method::GET, "/", &changed).await;
    assert_eq!(
        (whole.status, whole.body.as_str()),
        (StatusCode::OK, "run 1")
    );
    assert_eq!(site.runs(), 1);
}

#[tokio::test]
async fn a_part_is_never_stored_as_the_whole() {
    let site = site(minute(), |request, run| {
        let mut response = text(run);
        if request.headers().contains_key("range") {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = "bytes 0-4/9".parse().unwrap();
            response.headers_mut().insert("content-range", range);
        }
        response
    });
    site.ask(Method::GET, "/", &[("range", "bytes=0-4")]).await;
    assert_eq!(site.get("/").await.body, "run 2");
}

#[tokio::test]
async fn what_clients_ask_for_counts_where_the_policy_says_so() {
    let fields: &[(&str, &str, bool)] = &[
        ("cache-control", "no-cache", true),
        ("pragma", "no-cache", true),
        ("cache-control", "max-age=0", true),
        ("cache-control", "max-age=5", true),
        ("cache-control", "max-age=50", false),
        ("cache-control", "min-fresh=55", true),
        ("cache-control", "only-if-cached", false),
    ];
    for (name, value, runs) in fields {
        for obey in [true, false] {
            let site = site(minute().request_directives(obey), |_, run| text(run));
            site.get("/").await;
            site.advance(10);
            site.ask(Method::GET, "/", &[(name, value)]).await;
            assert_eq!(site.runs() == 2, *runs && obey, "{name}: {value}, {obey}");
        }
    }
    let site = site(minute().request_directives(true), |_, run| text(run));
    let absent = site
        .ask(Method::GET, "/", &[("cache-control", "only-if-cached")])
        .await;
    assert_eq!(
        (absent.status, site.runs()),
        (StatusCode::GATEWAY_TIMEOUT, 0)
    );
    site.get("/").await;
    site.advance(70);
    let stale = site
        .ask(Method::GET, "/", &[("cache-control", "max-stale=20")])
        .await;
    assert_eq!(stale.body, "run 1");
}

#[tokio::test]
async fn a_body_over_the_limit_passes_unstored() {
    let site = site(minute().body_limit(4), |_, run| text(run));
    assert_eq!(site.get("/").await.body, "run 1");
    assert_eq!(site.get("/").await.body, "run 2");
    assert!(site.cache.is_empty());
}

#[tokio::test]
async fn the_query_counts_as_the_policy_says() {
    let policy = minute().sorted_query().ignore_query(["utm_*"]);
    let site = site(policy, |_, run| text(run));
    for uri in ["/?a=1&b=2", "/?b=2&a=1", "/?utm_source=x&a=1&b=2"] {
        assert_eq!(site.get(uri).await.body, "run 1", "{uri}");
    }
    for uri in ["/?a=2&b=1", "/?a=1", "/", "/?a=1&b=2&a=1"] {
        assert_ne!(site.get(uri).await.body, "run 1", "{uri}");
    }
}

#[tokio::test]
async fn nothing_is_said_of_the_cache_where_that_is_not_wanted() {
    let site = site(minute().no_cache_status(), |_, run| text(run));
    for seconds in [0, 1, 70] {
        site.advance(seconds);
        assert_eq!(site.get("/").await.header("cache-status"), "");
    }
    let site = self::site(minute().cache_status("my cache"), |_, run| {
        with(run, &[("cache-status", "origin; hit")])
    });
    for last in [
        "my-cache; fwd=uri-miss; fwd-status=200; ttl=60; stored",
        "my-cache; hit; ttl=60",
    ] {
        let reply = site.get("/").await;
        let lines: Vec<_> = reply.headers.get_all("cache-status").iter().collect();
        assert_eq!(lines, ["origin; hit", last]);
    }
}

#[tokio::test]
async fn without_memory_every_request_passes() {
    let cache = dewar::Cache::builder()
        .store(dewar::StoreKind::Null)
        .build()
        .unwrap();
    let handler = service_fn(async |_: Request<()>| Ok::<_, Infallible>(text(1)));
    let service = CacheLayer::new(minute()).cache(&cache).layer(handler);
    let request = || Request::builder().uri("/").body(()).unwrap();
    let reply = service.clone().oneshot(request()).await.unwrap();
    assert_eq!(
        reply.headers()["cache-status"],
        "dewar; fwd=bypass; fwd-status=200"
    );
}

#[tokio::test]
async fn a_hit_weighs_its_body_and_headers() {
    let cache = dewar::Cache::builder().max_bytes(1 << 20).build().unwrap();
    let handler = service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![0; 100_000]))))
    });
    let service = CacheLayer::new(minute()).cache(&cache).layer(handler);
    for n in 0..50 {
        let request = Request::builder().uri(format!("/{n}")).body(()).unwrap();
        service.clone().oneshot(request).await.unwrap();
    }
    assert!(cache.weight() <= 1 << 20, "{}", cache.weight());
    assert!(cache.len() <= 10, "{}", cache.len());
}

#[tokio::test]
async fn what_clients_send_beside_the_key_adds_to_an_entry_for_a_while_only() {
    let cache = dewar::Cache::builder().max_bytes(1 << 20).build().unwrap();
    let handler = service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("page"))))
    });
    let policy = minute()
        .ignore_query(["utm_*"])
        .vary([header::ACCEPT_LANGUAGE]);
    let service = CacheLayer::new(policy).cache(&cache).layer(handler);
    let ask = async |n: usize| {
        let request = Request::builder()
            .uri(format!("/?utm_source={n:05}"))
            .header(header::ACCEPT_LANGUAGE, format!("l{n:05}"));
        let request = request.body(()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        let said = response.headers()["cache-status"].to_str().unwrap();
        let hit = said.contains("; hit");
        (hit, cache.weight())
    };
    let mut heaviest = 0;
    for n in 0..300 {
        heaviest = ask(n).await.1.max(heaviest);
    }
    for n in 300..2_000 {
        let (hit, weight) = ask(n).await;
        assert!(!hit && weight <= heaviest, "{n}: {weight} > {heaviest}");
    }
    assert!(ask(1_999).await.0, "the last one is there");
    let url = cache.invalidation().url("/?utm_source=01999");
    url.run().await.unwrap();
    assert!(!ask(1_999).await.0);
}
