//! Cached views: nobody is ever given what is another's.

#[path = "common/site.rs"]
mod site;

use axum::Router;
use axum::extract::{Extension, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dewar::{axum::FromState, cached};
use reqwest::Method;

use site::{Runs, serve, twice};

/// Whoever says so, for a test.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct User(String);

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let field = |name| parts.headers.get(name)?.to_str().ok();
        let cookie = field(header::COOKIE).and_then(|it| it.strip_prefix("user="));
        let bearer = field(header::AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
        let name = cookie.or(bearer).ok_or(StatusCode::UNAUTHORIZED)?;
        Ok(User(name.to_owned()))
    }
}

/// The same without a `Hash`.
struct Session(User);

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        User::from_request_parts(parts, state).await.map(Session)
    }
}

const ADA: [(&str, &str); 1] = [("cookie", "user=ada")];
const BOB: [(&str, &str); 1] = [("cookie", "user=bob")];
const ADA_BEARER: [(&str, &str); 1] = [("authorization", "Bearer ada")];
const BOB_BEARER: [(&str, &str); 1] = [("authorization", "Bearer bob")];

#[tokio::test]
async fn a_user_in_the_arguments_is_in_the_key() {
    #[cached(view, timeout = 60)]
    async fn account(User(name): User) -> String {
        format!("account of {name}")
    }

    let site = serve(Router::new().route("/account", get(account))).await;
    for headers in [ADA, BOB, ADA_BEARER, BOB_BEARER] {
        let name = headers[0].1.trim_start_matches("user=");
        let name = name.trim_start_matches("Bearer ");
        let (first, second) = twice(&site, "/account", &headers).await;
        assert_eq!(first.body, format!("account of {name}"));
        assert_eq!(second.body, first.body);
        assert!(second.is_hit());
        // Caches between here and the client know the URL only.
        assert_eq!(second.header("cache-control"), "private, no-cache");
    }
    assert_eq!(
        site.get("/account").await.status,
        401,
        "the check still checks"
    );
}

#[tokio::test]
async fn a_revoked_user_is_refused_whatever_is_cached() {
    static REVOKED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

    struct Checked;

    impl<S: Send + Sync> FromRequestParts<S> for Checked {
        type Rejection = StatusCode;

        async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, StatusCode> {
            match REVOKED.load(std::sync::atomic::Ordering::SeqCst) {
                true => Err(StatusCode::FORBIDDEN),
                false => Ok(Checked),
            }
        }
    }

    #[cached(view, timeout = 60, skip(_checked))]
    async fn page(_checked: Checked) -> &'static str {
        "page"
    }

    let site = serve(Router::new().route("/", get(page))).await;
    assert!(twice(&site, "/", &[]).await.1.is_hit());
    REVOKED.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(site.get("/").await.status, 403);
}

#[tokio::test]
async fn cookies_do_not_matter_to_a_handler_that_is_not_given_them() {
    #[cached(view, timeout = 60)]
    async fn product(Path(id): Path<u8>) -> String {
        format!("product {id}")
    }

    let site = serve(Router::new().route("/{id}", get(product))).await;
    site.get_with("/1", &ADA).await;
    assert!(site.get_with("/1", &BOB).await.is_hit());
    assert!(site.get("/1").await.is_hit());
}

#[tokio::test]
async fn authorization_stays_private_unless_the_response_permits_it() {
    #[cached(view, timeout = 60)]
    async fn quiet() -> &'static str {
        "quiet"
    }

    #[cached(view, timeout = 60)]
    async fn public() -> impl IntoResponse {
        ([("cache-control", "public")], "public")
    }

    #[cached(view, timeout = 60, authorization = ignored)]
    async fn said() -> &'static str {
        "said"
    }

    let app = Router::new()
        .route("/quiet", get(quiet))
        .route("/public", get(public))
        .route("/said", get(said));
    let site = serve(app).await;
    let (_, quiet) = twice(&site, "/quiet", &ADA_BEARER).await;
    assert!(!quiet.is_hit());
    site.get("/quiet").await;
    let passed = site.get_with("/quiet", &ADA_BEARER).await;
    assert!(
        passed.header("cache-status").contains("fwd=bypass"),
        "{passed:?}"
    );
    assert!(twice(&site, "/public", &ADA_BEARER).await.1.is_hit());
    assert!(twice(&site, "/said", &ADA_BEARER).await.1.is_hit());
}

#[tokio::test]
async fn a_skipped_argument_makes_cookies_private_again() {
    #[cached(view, timeout = 60, skip(session))]
    async fn careless(session: Option<Extension<User>>, headers: Session) -> String {
        let _ = session;
        format!("for {}", headers.0.0)
    }

    // The same with the whole of the headers.
    #[cached(view, timeout = 60, skip(headers))]
    async fn headers(headers: HeaderMap) -> String {
        format!("for {:?}", headers.get("cookie"))
    }

    #[cached(view, timeout = 60, skip(headers), cookies = ignored)]
    async fn meant(headers: HeaderMap) -> String {
        let _ = headers;
        "for all".to_owned()
    }

    let app = Router::new()
        .route("/careless", get(careless))
        .route("/headers", get(headers))
        .route("/meant", get(meant));
    let site = serve(app).await;
    for path in ["/careless", "/headers"] {
        let ada = twice(&site, path, &ADA).await.1;
        let bob = twice(&site, path, &BOB).await.1;
        assert!(
            ada.body.contains("ada") && bob.body.contains("bob"),
            "{path}"
        );
        assert!(!ada.is_hit() && !bob.is_hit(), "{path}");
    }
    assert!(twice(&site, "/headers", &[]).await.1.is_hit());
    assert!(!site.get_with("/headers", &ADA).await.is_hit());
    site.get_with("/meant", &ADA).await;
    assert!(site.get_with("/meant", &BOB).await.is_hit());
}

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Session {}

impl Clone for Session {
    fn clone(&self) -> Self {
        Session(self.0.clone())
    }
}

impl std::hash::Hash for Session {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[tokio::test]
async fn keyed_cookies_are_part_of_the_key() {
    #[cached(view, timeout = 60, skip(headers), cookies = keyed)]
    async fn page(headers: HeaderMap) -> String {
        format!("for {:?}", headers.get("cookie"))
    }

    let site = serve(Router::new().route("/", get(page))).await;
    for headers in [ADA, BOB] {
        let (first, second) = twice(&site, "/", &headers).await;
        assert!(second.is_hit());
        assert!(first.body.contains(headers[0].1), "{first:?}");
        assert_eq!(first.body, second.body);
        assert_eq!(first.header("vary"), "cookie");
    }
}

#[tokio::test]
async fn what_middleware_found_out_is_keyed_by_its_value() {
    async fn login(user: Option<User>, mut request: Request, next: Next) -> Response {
        let user = user.unwrap_or(User("nobody".into()));
        request.extensions_mut().insert(user);
        next.run(request).await
    }

    #[cached(view, timeout = 60)]
    async fn page(Extension(user): Extension<User>) -> String {
        format!("for {}", user.0)
    }

    let app = Router::new().route("/", get(page));
    let site = serve(app.layer(from_fn(async |mut request: Request, next: Next| {
        let (mut parts, body) = request.into_parts();
        let user = User::from_request_parts(&mut parts, &()).await.ok();
        request = Request::from_parts(parts, body);
        login(user, request, next).await
    })))
    .await;
    for (headers, name) in [(&ADA[..], "ada"), (&BOB[..], "bob"), (&[][..], "nobody")] {
        let (first, second) = twice(&site, "/", headers).await;
        assert_eq!(first.body, format!("for {name}"));
        assert_eq!((second.is_hit(), &second.body), (true, &first.body));
    }
}

#[tokio::test]
async fn a_part_of_an_argument_in_the_key_is_not_the_whole_of_it() {
    #[cached(view, timeout = 60, key = user.0)]
    async fn cautious(user: User) -> String {
        user.0
    }

    #[cached(view, timeout = 60, key = user.0, cookies = ignored, key_prefix = "user:{user.0}")]
    async fn meant(user: User) -> String {
        user.0
    }

    let app = Router::new()
        .route("/cautious", get(cautious))
        .route("/meant", get(meant));
    let site = serve(app).await;
    assert!(!twice(&site, "/cautious", &ADA).await.1.is_hit());
    assert!(twice(&site, "/meant", &ADA).await.1.is_hit());
    assert_eq!(site.get_with("/meant", &BOB).await.body, "bob");
    dewar::Cache::invalidation(&site.cache)
        .prefix("user:ada")
        .run()
        .await
        .unwrap();
    assert!(!site.get_with("/meant", &ADA).await.is_hit());
    assert!(site.get_with("/meant", &BOB).await.is_hit());
}

#[tokio::test]
async fn a_response_that_sets_a_cookie_is_for_its_client_alone() {
    static RUNS: Runs = Runs::new();

    #[cached(view, timeout = 60)]
    async fn welcome() -> impl IntoResponse {
        let cookie = format!("session={}", RUNS.next());
        ([(header::SET_COOKIE, cookie)], "welcome")
    }

    let site = serve(Router::new().route("/", get(welcome))).await;
    let (first, second) = twice(&site, "/", &[]).await;
    assert_eq!(first.header("set-cookie"), "session=1");
    assert_eq!(second.header("set-cookie"), "session=2");
}

/// Pages with a user in the key that are not stored, for one reason or another.
mod unstored {
    use super::*;

    #[cached(view, timeout = 60, body_limit = 10)]
    pub(super) async fn long(User(name): User) -> String {
        format!("a long page of {name}")
    }

    #[cached(
        view,
        timeout = 60,
        body_limit = 10,
        cache_control = "public, max-age=9"
    )]
    pub(super) async fn told(User(name): User) -> String {
        format!("a long page of {name}")
    }

    #[cached(view, timeout = 60, unless = true)]
    pub(super) async fn bypassed(User(name): User) -> String {
        name
    }

    #[cached(view, timeout = 60)]
    pub(super) async fn cookie(User(name): User) -> impl IntoResponse {
        ([(header::SET_COOKIE, "flash=")], name)
    }

    #[cached(view, timeout = 60)]
    pub(super) async fn failed(User(name): User) -> (StatusCode, String) {
        (StatusCode::NOT_FOUND, name)
    }

    #[cached(view, timeout = 60, cache = "not registered either")]
    pub(super) async fn uncached(User(name): User) -> String {
        name
    }

    #[cached(view, timeout = 60, skip(headers))]
    pub(super) async fn skipped(headers: HeaderMap) -> String {
        format!("{:?}", headers.get("cookie"))
    }

    #[cached(view, timeout = 60)]
    pub(super) async fn welcome() -> impl IntoResponse {
        ([(header::SET_COOKIE, "session=1")], "welcome")
    }

    #[cached(view, timeout = 60, body_limit = 10)]
    pub(super) async fn said(User(name): User) -> impl IntoResponse {
        let said = [(header::CACHE_CONTROL, "private, max-age=9")];
        (said, format!("a long page of {name}"))
    }

    #[cached(view, timeout = 60, body_limit = 10, cache_control = false)]
    pub(super) async fn silent(User(name): User) -> String {
        format!("a long page of {name}")
    }

    #[cached(view, timeout = 60, body_limit = 10)]
    pub(super) async fn public() -> &'static str {
        "a long page for all"
    }
}

#[tokio::test]
async fn no_cache_on_the_way_keeps_a_users_page_that_is_not_stored_here() {
    let app = Router::new()
        .route("/long", get(unstored::long))
        .route("/told", get(unstored::told))
        .route("/bypassed", get(unstored::bypassed))
        .route("/cookie", get(unstored::cookie))
        .route("/failed", get(unstored::failed))
        .route("/uncached", get(unstored::uncached))
        .route("/skipped", get(unstored::skipped))
        .route("/welcome", get(unstored::welcome))
        .route("/said", get(unstored::said))
        .route("/silent", get(unstored::silent))
        .route("/public", get(unstored::public));
    let site = serve(app).await;
    for (path, expected) in [
        ("/long", "private, no-cache"),
        ("/told", "private, no-cache"),
        ("/bypassed", "private, no-cache"),
        ("/cookie", "private, no-cache"),
        ("/failed", "private, no-cache"),
        ("/uncached", "private, no-cache"),
        ("/skipped", "private, no-cache"),
        ("/welcome", "private, no-cache"),
        ("/said", "private, max-age=9"),
        ("/silent", ""),
        ("/public", ""),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let got = site.ask(method, path, &ADA).await;
            assert_eq!(got.header("cache-control"), expected, "{path}");
            assert!(!got.is_hit(), "{path}");
        }
    }
}

#[tokio::test]
async fn what_the_handler_calls_private_is_not_stored() {
    #[cached(view, timeout = 60)]
    async fn page(Path(said): Path<String>) -> impl IntoResponse {
        ([(header::CACHE_CONTROL, said)], "page")
    }

    let site = serve(Router::new().route("/{said}", get(page))).await;
    for said in ["/private", "/no-store"] {
        assert!(!twice(&site, said, &[]).await.1.is_hit(), "{said}");
    }
    assert!(twice(&site, "/max-age=5", &[]).await.1.is_hit());
}

#[tokio::test]
async fn languages_are_told_apart() {
    #[cached(view, timeout = 60, vary("accept-language"), skip(headers))]
    async fn option(headers: HeaderMap) -> String {
        format!("{:?}", headers.get("accept-language"))
    }

    #[cached(view, timeout = 60, skip(headers))]
    async fn response(headers: HeaderMap) -> impl IntoResponse {
        let body = format!("{:?}", headers.get("accept-language"));
        ([(header::VARY, "Accept-Language")], body)
    }

    let app = Router::new()
        .route("/option", get(option))
        .route("/response", get(response));
    let site = serve(app).await;
    for path in ["/option", "/response"] {
        for language in ["de", "fr"] {
            let headers = [("accept-language", language)];
            let (first, second) = twice(&site, path, &headers).await;
            assert!(first.body.contains(language), "{path} {language}");
            assert_eq!((second.is_hit(), &second.body), (true, &first.body));
            assert!(first.header("vary").eq_ignore_ascii_case("accept-language"));
        }
        assert_eq!(site.get(path).await.body, "None");
    }
}

#[tokio::test]
async fn without_a_cache_languages_are_told_apart_on_the_way_all_the_same() {
    #[cached(view, cache = "nowhere", vary("accept-language"), skip(headers))]
    async fn page(headers: HeaderMap) -> String {
        format!("{:?}", headers.get("accept-language"))
    }

    let app = Router::new().route("/", get(page));
    let address = site::listen(app).await;
    let got = reqwest::get(format!("http://{address}")).await.unwrap();
    assert_eq!(got.headers()["vary"], "accept-language");
}

#[derive(Clone)]
struct Pool(&'static str);

impl<S: Send + Sync> FromRequestParts<S> for Pool {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Pool("pool"))
    }
}

impl FromState for Pool {}

#[tokio::test]
async fn an_extractor_that_says_that_it_knows_no_user_is_no_part_of_the_key() {
    #[cached(view, timeout = 60, skip(second))]
    async fn page(first: Pool, second: Pool) -> String {
        format!("{} {}", first.0, second.0)
    }

    let site = serve(Router::new().route("/", get(page))).await;
    site.get_with("/", &ADA).await;
    assert!(site.get_with("/", &BOB).await.is_hit());
}
