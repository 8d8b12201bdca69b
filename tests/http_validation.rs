//! What `CacheLayer` asks the handler about what is stored, and what it says of it to clients.
#![cfg(feature = "tower")]

#[path = "common/service.rs"]
mod service;

use bytes::Bytes;
use dewar::http::ViewPolicy;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use service::{Reply, Site, minute, site, text, with};

/// What the handler is asked, as its answer.
fn asked(request: &Request<()>) -> String {
    let field = |name| {
        request
            .headers()
            .get(name)
            .map_or("-", |it| it.to_str().unwrap())
    };
    format!("{} {}", field("if-none-match"), field("if-modified-since"))
}

fn said(body: String) -> Response<Full<Bytes>> {
    Response::new(Full::new(Bytes::from(body)))
}

fn not_modified() -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

async fn head(site: &Site) -> Reply {
    site.ask(Method::HEAD, "/", &[]).await
}

const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

#[tokio::test]
async fn a_head_that_the_handler_answers_is_judged_by_the_clients_conditions() {
    let fields = [("etag", "\"a\""), ("last-modified", THEN)];
    let site = site(minute(), move |_, run| with(run, &fields));
    for condition in [("if-none-match", "W/\"a\""), ("if-modified-since", THEN)] {
        let same = site.ask(Method::HEAD, "/", &[condition]).await;
        assert_eq!(same.status, StatusCode::NOT_MODIFIED, "{condition:?}");
        assert_eq!(same.header("etag"), "\"a\"");
        let said = "dewar; fwd=uri-miss; fwd-status=200";
        assert_eq!(same.header("cache-status"), said);
    }
    let other = ("if-none-match", "\"b\"");
    let whole = site.ask(Method::HEAD, "/", &[other]).await;
    assert_eq!(whole.status, StatusCode::OK);
    assert_eq!(site.runs(), 3);
}

#[tokio::test]
async fn a_304_says_what_the_200_would_say_of_caching() {
    let site = site(minute(), |_, run| {
        let fields = [
            ("cache-control", "max-age=60"),
            ("content-location", "/a.en"),
            ("content-type", "text/plain"),
            ("content-language", "en"),
            ("date", THEN),
            ("etag", "\"a\""),
            ("expires", THEN),
            ("vary", "accept-language"),
        ];
        with(run, &fields)
    });
    let site_policy = site.get("/").await;
    assert_eq!(site_policy.status, StatusCode::OK);
    let same = site
        .ask(Method::GET, "/", &[("if-none-match", "\"a\"")])
        .await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    for name in [
        "cache-control",
        "content-location",
        "date",
        "etag",
        "expires",
        "vary",
    ] {
        assert_eq!(same.header(name), site_policy.header(name), "{name}");
        assert!(!same.header(name).is_empty(), "{name}");
    }
    for name in ["content-length", "content-type", "content-language"] {
        assert_eq!(same.header(name), "", "{name}");
    }
}

#[tokio::test]
async fn a_response_is_dated_when_it_is_stored_and_stays_so() {
    let site = site(minute(), |_, run| text(run));
    let first = site.get("/").await;
    let date = first.header("date").to_owned();
    assert!(date.ends_with(" GMT"), "{date}");
    // Not later than the date.
    assert_eq!(first.header("last-modified"), date);
    site.advance(30);
    let second = site.get("/").await;
    assert_eq!(
        (second.header("date"), second.header("age")),
        (&*date, "30")
    );
    let own = self::site(minute().last_modified(false), |_, run| {
        with(run, &[("date", THEN)])
    });
    let own = own.get("/").await;
    assert_eq!(
        (own.header("date"), own.header("last-modified")),
        (THEN, "")
    );
}

#[tokio::test]
async fn a_page_is_not_modified_after_its_date() {
    let site = site(minute(), |_, run| {
        with(
            run,
            &[("date", THEN), ("cache-control", "max-age=1000000000")],
        )
    });
    let first = site.get("/").await;
    assert_eq!(
        (first.header("last-modified"), first.header("date")),
        (THEN, THEN)
    );
}

#[tokio::test]
async fn a_client_that_wants_nothing_stored_takes_nothing_out() {
    let site = site(ViewPolicy::proxy(), |request, run| {
        if asked(request).starts_with('"') {
            return not_modified();
        }
        with(run, &[("cache-control", "max-age=10"), ("etag", "\"a\"")])
    });
    site.get("/").await;
    site.advance(11);
    let apart = [("cache-control", "no-store")];
    let reply = site.ask(Method::GET, "/", &apart).await;
    assert_eq!((&*reply.body, site.runs()), ("run 1", 2));
    assert_eq!(
        reply.header("cache-status"),
        "dewar; fwd=stale; fwd-status=304; ttl=0"
    );
    // Nothing was stored for it, and the next one still has something to ask about.
    let reply = site.get("/").await;
    assert_eq!((&*reply.body, site.runs()), ("run 1", 3));
    assert_eq!((&*site.get("/").await.body, site.runs()), ("run 1", 3));
}

#[tokio::test]
async fn an_age_of_the_handlers_counts_and_is_replaced() {
    let site = site(minute(), |_, run| {
        with(run, &[("age", "50"), ("cache-control", "max-age=60")])
    });
    site.get("/").await;
    site.advance(9);
    let hit = site.get("/").await;
    assert_eq!((&*hit.body, hit.header("age")), ("run 1", "59"));
    assert_eq!(hit.headers.get_all("age").iter().count(), 1);
    site.advance(1);
    assert_eq!(site.get("/").await.body, "run 2");
}

#[tokio::test]
async fn the_handler_is_asked_by_what_is_stored_and_not_by_what_the_client_has() {
    let policy = ViewPolicy::proxy;
    let fields: [&[(&str, &str)]; 3] = [
        &[("cache-control", "max-age=10"), ("etag", "\"a\"")],
        &[("cache-control", "max-age=10"), ("last-modified", THEN)],
        &[("cache-control", "max-age=10")],
    ];
    let expected = ["\"a\" -", &format!("- {THEN}"), "\"b\" -"];
    for (fields, expected) in fields.into_iter().zip(expected) {
        let site = site(policy(), move |request, _| {
            let mut response = said(asked(request));
            for (name, value) in fields {
                let value = value.parse().unwrap();
                response.headers_mut().insert(*name, value);
            }
            response
        });
        site.get("/").await;
        site.advance(11);
        let client = [("if-none-match", "\"b\"")];
        let reply = site.ask(Method::GET, "/", &client).await;
        assert_eq!(reply.body, expected);
    }
}

#[tokio::test]
async fn what_must_be_validated_is_each_time() {
    let site = site(ViewPolicy::proxy(), |request, run| {
        if asked(request).starts_with("\"a\"") {
            // Without a validator: it is about the one that was asked for.
            return not_modified();
        }
        with(run, &[("cache-control", "no-cache"), ("etag", "\"a\"")])
    });
    for run in 1..4 {
        let reply = site.get("/").await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "run 1"));
        assert_eq!(site.runs(), run);
    }
    let same = site
        .ask(Method::GET, "/", &[("if-none-match", "\"a\"")])
        .await;
    assert_eq!((same.status, site.runs()), (StatusCode::NOT_MODIFIED, 4));
}

#[tokio::test]
async fn news_of_one_variant_leave_the_others_as_they_are() {
    let site = site(ViewPolicy::proxy(), |request, run| {
        if asked(request).starts_with('"') {
            let mut response = not_modified();
            let value = "max-age=100".parse().unwrap();
            response.headers_mut().insert("cache-control", value);
            return response;
        }
        let fields = [("cache-control", "max-age=10"), ("etag", "\"a\"")];
        let mut response = with(run, &fields);
        let vary = "accept-language".parse().unwrap();
        response.headers_mut().insert("vary", vary);
        response
    });
    let ask = async |language| {
        let fields = [("accept-language", language)];
        site.ask(Method::GET, "/", &fields).await
    };
    assert_eq!(ask("en").await.body, "run 1");
    assert_eq!(ask("de").await.body, "run 2");
    site.advance(11);
    let fresh = ask("en").await;
    assert_eq!((&*fresh.body, site.runs()), ("run 1", 3));
    site.advance(50);
    let still = ask("en").await;
    assert_eq!((&*still.body, site.runs()), ("run 1", 3));
    assert_eq!(still.header("cache-control"), "max-age=100");
    let other = ask("de").await;
    assert_eq!((&*other.body, site.runs()), ("run 2", 4));
}

#[tokio::test]
async fn news_that_say_nothing_of_vary_leave_that_of_the_page() {
    let policy = ViewPolicy::proxy().vary([header::ACCEPT_LANGUAGE]);
    let site = site(policy, |request, run| {
        if asked(request).starts_with('"') {
            return not_modified();
        }
        let coding = ("vary", "accept-encoding");
        let fields = [("cache-control", "max-age=10"), ("etag", "\"a\""), coding];
        with(run, &fields)
    });
    let ask = async |coding| {
        let fields = [("accept-encoding", coding), ("accept-language", "en")];
        site.ask(Method::GET, "/", &fields).await
    };
    assert_eq!(ask("br").await.body, "run 1");
    site.advance(11);
    let confirmed = ask("br").await;
    assert_eq!((&*confirmed.body, site.runs()), ("run 1", 2));
    let lines = confirmed.headers.get_all("vary").iter();
    let said: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
    assert_eq!(said, ["accept-encoding", "accept-language"]);
    assert_eq!(ask("gzip").await.body, "run 3");
}

#[tokio::test]
async fn news_that_name_less_by_which_a_page_varies_let_nobody_have_anothers() {
    // What a layer for cross-origin requests adds to every answer, and the handler to its pages.
    let site = site(ViewPolicy::proxy(), |request, run| {
        if asked(request).starts_with('"') {
            let mut response = not_modified();
            let origin = "Origin".parse().unwrap();
            response.headers_mut().insert("vary", origin);
            return response;
        }
        let language = request.headers()["accept-language"].to_str().unwrap();
        let fields = [("cache-control", "max-age=10"), ("vary", "accept-language")];
        let mut response = with(run, &fields);
        let etag = format!("\"{language}\"").parse().unwrap();
        response.headers_mut().insert("etag", etag);
        *response.body_mut() = Full::from(language.to_owned());
        response
    });
    let ask = async |language| {
        let fields = [("accept-language", language)];
        site.ask(Method::GET, "/", &fields).await
    };
    assert_eq!(ask("fr").await.body, "fr");
    site.advance(11);
    let confirmed = ask("fr").await;
    assert_eq!((&*confirmed.body, site.runs()), ("fr", 2));
    let lines = confirmed.headers.get_all("vary").iter();
    let said: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
    assert_eq!(said, ["accept-language", "Origin"]);
    assert_eq!(ask("en").await.body, "en");
    assert_eq!((&*ask("fr").await.body, site.runs()), ("fr", 3));
    let fields = [("accept-language", "fr"), ("origin", "http://a.test")];
    let elsewhere = site.ask(Method::GET, "/", &fields).await;
    assert_ne!(elsewhere.header("cache-status"), "dewar; hit; ttl=10");
}

#[tokio::test]
async fn news_that_a_page_varies_by_anything_take_it_out() {
    let site = site(ViewPolicy::proxy(), |request, run| {
        if asked(request).starts_with('"') {
            let mut response = not_modified();
            let any = "*".parse().unwrap();
            response.headers_mut().insert("vary", any);
            return response;
        }
        with(run, &[("cache-control", "max-age=10"), ("etag", "\"a\"")])
    });
    site.get("/").await;
    site.advance(11);
    assert_eq!(site.get("/").await.body, "run 1");
    assert_eq!(site.get("/").await.body, "run 3");
}

#[tokio::test]
async fn of_several_that_match_the_one_made_last_is_served() {
    let site = site(minute(), |request, run| {
        let by = if request.headers()["a"] == "1" {
            "a"
        } else {
            "b"
        };
        with(run, &[("vary", by)])
    });
    let ask = async |a, b| site.ask(Method::GET, "/", &[("a", a), ("b", b)]).await.body;
    assert_eq!(ask("1", "2").await, "run 1");
    site.advance(1);
    assert_eq!(ask("2", "1").await, "run 2");
    assert_eq!(ask("1", "1").await, "run 2");
    assert_eq!(ask("1", "3").await, "run 1");
}

#[tokio::test]
async fn a_head_that_shows_another_page_takes_the_stored_one_out() {
    for (tag, asked_afterwards) in [("\"a\"", "\"a\" -"), ("\"b\"", "- -")] {
        let site = site(ViewPolicy::proxy(), move |request, run| {
            let tag = if run == 1 { "\"a\"" } else { tag };
            let mut response = said(asked(request));
            let headers = response.headers_mut();
            headers.insert("cache-control", "max-age=10".parse().unwrap());
            headers.insert("etag", tag.parse().unwrap());
            response
        });
        site.get("/").await;
        site.advance(11);
        assert_eq!(head(&site).await.header("etag"), tag);
        assert_eq!(site.get("/").await.body, asked_afterwards, "{tag}");
    }
}

#[tokio::test]
async fn what_the_policy_varies_by_is_said_in_every_answer() {
    let policy = minute().vary([header::ACCEPT_LANGUAGE]);
    let site = site(policy, |_, run| {
        let mut response = with(run, &[("vary", "origin")]);
        if run > 1 {
            *response.status_mut() = StatusCode::NOT_FOUND;
        }
        response
    });
    let first = site.get("/").await;
    let etag = first.header("etag").to_owned();
    let hit = site.get("/").await;
    let same = site
        .ask(Method::GET, "/", &[("if-none-match", &etag)])
        .await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    let unstored = site.get("/other").await;
    assert_eq!(unstored.status, StatusCode::NOT_FOUND);
    let bypassed = site.ask(Method::GET, "/", &[("cookie", "a=b")]).await;
    for reply in [first, hit, same, head(&site).await, unstored, bypassed] {
        let lines = reply.headers.get_all("vary").iter();
        let said: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
        let said = said.join(", ");
        assert!(said.contains("accept-language"), "{said}");
        assert!(said.contains("origin"), "{said}");
    }
}

#[tokio::test]
async fn why_the_handler_was_asked_is_said() {
    let site = site(ViewPolicy::proxy(), |_, run| {
        with(run, &[("cache-control", "max-age=10"), ("vary", "a")])
    });
    let mut said = Vec::new();
    for (method, fields, seconds) in [
        (Method::GET, &[("a", "1")][..], 0),
        (Method::GET, &[("a", "1")], 0),
        (Method::GET, &[("a", "2")], 0),
        (Method::GET, &[("a", "1"), ("cache-control", "no-cache")], 0),
        (Method::GET, &[("a", "1"), ("cookie", "x")], 0),
        (Method::OPTIONS, &[("a", "1")], 0),
        (Method::GET, &[("a", "1")], 11),
    ] {
        site.advance(seconds);
        let reply = site.ask(method, "/", fields).await;
        let status = reply.header("cache-status").to_owned();
        said.push(status.split("; ").nth(1).unwrap_or_default().to_owned());
    }
    let expected = [
        "fwd=uri-miss",
        "hit",
        "fwd=vary-miss",
        "fwd=request",
        "fwd=bypass",
        "fwd=method",
        "fwd=stale",
    ];
    assert_eq!(said, expected);
}
