//! Cached views: HTTP as clients and caches between them and the server expect it.

#[path = "common/site.rs"]
mod site;

use std::convert::Infallible;

use axum::Router;
use axum::http::{HeaderMap, Method, header};
use axum::response::IntoResponse;
use axum::routing::get;
use dewar::cached;
use tower_http::compression::CompressionLayer;

use site::{Runs, serve};

#[tokio::test]
async fn a_client_that_has_it_is_told_so() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, skip(headers))]
    async fn page(headers: HeaderMap) -> String {
        assert!(
            !headers.contains_key("if-none-match"),
            "the whole is stored"
        );
        assert!(!headers.contains_key("if-modified-since"));
        RUNS.next();
        "page".to_owned()
    }

    let site = serve(Router::new().route("/", get(page))).await;
    let first = site.get("/").await;
    let (etag, date) = (first.header("etag"), first.header("last-modified"));
    assert!(etag.starts_with('"') && etag.len() > 10, "{etag}");
    assert_eq!(first.header("cache-control"), "no-cache");
    for condition in [("if-none-match", etag), ("if-modified-since", date)] {
        let again = site.get_with("/", &[condition]).await;
        assert_eq!((again.status, &*again.body), (304, ""), "{condition:?}");
        assert_eq!(again.header("etag"), etag);
        assert_eq!(again.header("cache-status"), "dewar; hit; ttl=60");
    }
    let other = site.get_with("/", &[("if-none-match", "\"other\"")]).await;
    assert_eq!((other.status, &*other.body), (200, "page"));
    assert_eq!(RUNS.count(), 1);
    // A miss with a condition is stored whole too, and then judged.
    site.advance(60);
    let missed = site.get_with("/", &[("if-none-match", etag)]).await;
    assert_eq!((missed.status, RUNS.count()), (304, 2));
    let whole = site.get("/").await;
    assert_eq!((&*whole.body, whole.is_hit()), ("page", true));
}

#[tokio::test]
async fn a_head_is_answered_from_a_get_and_never_makes_one() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60)]
    async fn page() -> String {
        format!("run {}", RUNS.next())
    }

    let site = serve(Router::new().route("/", get(page))).await;
    for run in 1..3 {
        let head = site.ask(Method::HEAD, "/", &[]).await;
        assert_eq!((head.status, &*head.body), (200, ""));
        assert_eq!((head.is_hit(), RUNS.count()), (false, run));
    }
    assert_eq!(site.get("/").await.body, "run 3");
    let head = site.ask(Method::HEAD, "/", &[]).await;
    assert!(head.is_hit());
    assert_eq!((head.header("content-length"), &*head.body), ("5", ""));
    assert_eq!(RUNS.count(), 3);
}

#[tokio::test]
async fn a_head_can_be_left_to_the_handler() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60, methods("GET"))]
    async fn page() -> String {
        format!("run {}", RUNS.next())
    }

    let site = serve(Router::new().route("/", get(page))).await;
    site.get("/").await;
    assert!(site.get("/").await.is_hit());
    assert!(!site.ask(Method::HEAD, "/", &[]).await.is_hit());
    assert_eq!(RUNS.count(), 2);
}

/// What a handler says that knows its validators, whoever judges them.
const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const VALIDATORS: [(header::HeaderName, &str); 2] =
    [(header::ETAG, "\"a\""), (header::LAST_MODIFIED, THEN)];

#[tokio::test]
async fn conditions_that_the_handler_is_not_shown_are_judged_whatever_becomes_of_its_answer() {
    #[cached(view, timeout = 60)]
    async fn stored() -> impl IntoResponse {
        (VALIDATORS, "page")
    }
    #[cached(view, timeout = 60)]
    async fn private() -> impl IntoResponse {
        (VALIDATORS, [(header::CACHE_CONTROL, "private")], "page")
    }
    #[cached(view, timeout = 60, methods("GET"))]
    async fn get_only() -> impl IntoResponse {
        (VALIDATORS, "page")
    }
    #[cached(view, timeout = 60, unless = true)]
    async fn never() -> impl IntoResponse {
        (VALIDATORS, "page")
    }
    #[cached(view, timeout = 60, cache = "registered nowhere")]
    async fn nowhere() -> impl IntoResponse {
        (VALIDATORS, "page")
    }

    let app = Router::new()
        .route("/stored", get(stored))
        .route("/private", get(private))
        .route("/get_only", get(get_only))
        .route("/never", get(never).post(never))
        .route("/nowhere", get(nowhere));
    let site = serve(app).await;
    for path in ["/stored", "/private", "/get_only", "/never", "/nowhere"] {
        for method in [Method::HEAD, Method::GET] {
            for (name, value) in [("if-none-match", "\"a\""), ("if-modified-since", THEN)] {
                site.cache.clear();
                let same = site.ask(method.clone(), path, &[(name, value)]).await;
                let told = (same.status, same.header("etag"), &*same.body);
                assert_eq!(told, (304, "\"a\"", ""), "{method} {path} {name}");
            }
            let other = [("if-none-match", "\"b\""), ("if-modified-since", THEN)];
            let whole = site.ask(method.clone(), path, &other).await;
            assert_eq!(whole.status, 200, "{method} {path}");
            // Two hosts go past the cache.
            let both = [("host", "a b"), ("if-none-match", "W/\"a\"")];
            let same = site.ask(method.clone(), path, &both).await;
            assert_eq!(same.status, 304, "{method} {path}");
        }
    }
    // They say nothing of what changes something.
    let conditions = [("if-none-match", "\"a\"")];
    let sent = site.ask(Method::POST, "/never", &conditions).await;
    assert_eq!((sent.status, &*sent.body), (200, "page"));
}

#[tokio::test]
async fn a_part_of_what_is_stored_is_sent_alone() {
    #[cached(view, timeout = 60)]
    async fn page() -> &'static str {
        "0123456789"
    }

    let site = serve(Router::new().route("/", get(page))).await;
    let first = site.get_with("/", &[("range", "bytes=2-4")]).await;
    assert_eq!((first.status, &*first.body), (206, "234"));
    let stored = site.get_with("/", &[("range", "bytes=-3")]).await;
    assert_eq!((stored.status, &*stored.body), (206, "789"));
    assert_eq!(stored.header("content-range"), "bytes 7-9/10");
    assert_eq!(
        site.get_with("/", &[("range", "bytes=10-")]).await.status,
        416
    );
    assert_eq!(site.get("/").await.body, "0123456789");
}

#[tokio::test]
async fn what_clients_are_told_can_be_said() {
    #[cached(
        view,
        timeout = 60,
        cache_control = "public, max-age=30",
        etag = false,
        last_modified = false
    )]
    async fn told() -> &'static str {
        "told"
    }

    #[cached(view, timeout = 60, cache_control = false)]
    async fn untold() -> &'static str {
        "untold"
    }

    #[cached(view, timeout = 60, cache_control = "public, max-age=30")]
    async fn itself() -> impl IntoResponse {
        ([(header::CACHE_CONTROL, "max-age=5")], "itself")
    }

    #[cached(view, timeout = 60, cache_control = "public, s-maxage=9, max-age=30")]
    async fn personal(language: Language) -> String {
        language.0
    }

    #[cached(view, cache_control = "public, max-age=30", vary("accept-language"))]
    async fn varying(language: Language) -> String {
        language.0
    }

    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Language(String);

    impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Language {
        type Rejection = Infallible;

        async fn from_request_parts(
            parts: &mut axum::http::request::Parts,
            _: &S,
        ) -> Result<Self, Infallible> {
            let language = parts.headers.get("accept-language");
            let language = language.and_then(|it| it.to_str().ok()).unwrap_or("en");
            Ok(Language(language.to_owned()))
        }
    }

    let app = Router::new()
        .route("/told", get(told))
        .route("/untold", get(untold))
        .route("/itself", get(itself))
        .route("/personal", get(personal))
        .route("/varying", get(varying));
    let site = serve(app).await;
    let german = &[("accept-language", "de"), ("cookie", "a=b")][..];
    for (path, headers, expected) in [
        ("/told", &[][..], "public, max-age=30"),
        ("/untold", &[], ""),
        ("/itself", &[], "max-age=5"),
        // Caches on the way cannot see what made the argument, unless they are told.
        ("/personal", &[], "private, max-age=30"),
        ("/varying", &[], "public, max-age=30"),
        ("/varying", german, "private, max-age=30"),
    ] {
        for _ in 0..2 {
            let got = site.get_with(path, headers).await;
            assert_eq!(got.header("cache-control"), expected, "{path}");
        }
    }
    let told = site.get("/told").await;
    assert_eq!(
        (told.header("etag"), told.header("last-modified")),
        ("", "")
    );
    // What the handler says comes first, for this cache too.
    site.advance(5);
    assert!(!site.get("/itself").await.is_hit());
}

#[tokio::test]
async fn under_a_layer_that_compresses_a_tag_can_be_weak() {
    #[cached(view, timeout = 60, etag = weak)]
    async fn page() -> String {
        "a page that is worth to be compressed ".repeat(20)
    }

    let app = Router::new().route("/", get(page));
    let site = serve(app.layer(CompressionLayer::new())).await;
    let gzip = [("accept-encoding", "gzip")];
    let first = site.get_with("/", &gzip).await;
    let plain = site.get("/").await;
    let codings = [&first, &plain].map(|it| it.header("content-encoding"));
    assert_eq!((codings, plain.is_hit()), (["gzip", ""], true));
    // The same words in other bytes.
    let etag = first.header("etag");
    assert!(etag.starts_with("W/\"") && plain.header("etag") == etag);
    for coding in [&gzip[..], &[]] {
        let headers = [coding, &[("if-none-match", etag)]].concat();
        assert_eq!(site.get_with("/", &headers).await.status, 304);
    }
    // A part of one does not go with a part of the other.
    let part = [("range", "bytes=0-9"), ("if-range", etag)];
    assert_eq!(site.get_with("/", &part).await.status, 200);
}
