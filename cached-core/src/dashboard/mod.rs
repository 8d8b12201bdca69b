//! The dashboard: what the caches do, live, as a [`Router`] to mount anywhere.
//!
//! ```
//! use axum::Router;
//! use dewar::dashboard::Dashboard;
//!
//! let app: Router = Router::new().nest("/cache-stats", Dashboard::new().router());
//! ```
//!
//! | path | what |
//! | --- | --- |
//! | `/` | the page |
//! | `/stats.json` | the figures; `stats.schema.json` in the repository describes them |
//! | `/metrics` | the same for Prometheus |
//! | `/events` | what the page shows, once a second, as server-sent events: of functions the hundred with the most reads |
//! | `/invalidate` | only with [`Dashboard::allow_invalidation`] |
//!
//! It shows names of caches and functions, prefixes, and keys put in by hand, as far as
//! [`CacheBuilder::event_keys`](crate::CacheBuilder::event_keys) lets it; never values or
//! credentials. Still it is not for everybody: put it behind your own login.

// `snapshot` collects, `prometheus` and the page show, `live` sends, `invalidate` is the one thing
// that changes something.

mod invalidate;
mod live;
mod prometheus;
mod snapshot;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::body::Body;
use axum::extract::OriginalUri;
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};

use crate::cache::{Cache, registry};
use crate::clock::{Clock, Nanos};
use invalidate::Token;

const PAGE: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/script.js");
const ICON: &str = include_str!("assets/icon.svg");

/// Nothing but what comes from beside the page, and nobody else's frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How long after its last figures a page is taken to be open.
const LOOKED_AT: Nanos = 10_000_000_000;

/// Describes the dashboard; see the [module](self).
///
/// ```
/// use axum::Router;
/// use dewar::{Cache, dashboard::Dashboard};
///
/// let cache = Cache::builder().build()?;
/// let dashboard = Dashboard::new()
///     .cache(&cache)
///     .title("Shop")
///     .back("/", "To the shop")
///     .allow_invalidation();
/// let app: Router = Router::new().nest("/admin/cache", dashboard.router());
/// # Ok::<(), dewar::Error>(())
/// ```
#[must_use = "nothing is shown before `router` is mounted"]
pub struct Dashboard {
    caches: Vec<Cache>,
    title: String,
    back: Option<(String, String)>,
    invalidation: bool,
}

/// What the routes share.
struct Shown {
    caches: Vec<Cache>,
    title: String,
    back: Option<(String, String)>,
    /// None where nothing may be invalidated here.
    token: Option<Token>,
    /// How many pages are being told.
    listening: AtomicUsize,
    /// What all of them are told.
    feed: live::Feed,
}

impl Dashboard {
    /// Of the default cache and all that have a name, those included that are made later.
    pub fn new() -> Self {
        Dashboard {
            caches: Vec::new(),
            title: "Cache".into(),
            back: None,
            invalidation: false,
        }
    }

    /// Of this cache, and of no others but those that are named in the same way.
    ///
    /// Give each a [name](crate::CacheBuilder::name): the second of one name is shown as `name (2)`.
    pub fn cache(mut self, cache: &Cache) -> Self {
        if !self.caches.iter().any(|known| known.same(cache)) {
            self.caches.push(cache.clone());
        }
        self
    }

    /// The heading of the page; `Cache` if nothing is said.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// A link at its head, back to where the page belongs.
    pub fn back(mut self, url: impl Into<String>, text: impl Into<String>) -> Self {
        self.back = Some((url.into(), text.into()));
        self
    }

    /// Lets whoever can open the page invalidate by prefix, tag or function, or everything.
    ///
    /// Only the page itself can ask for it: a request of another site is refused by `Sec-Fetch-Site`
    /// or `Origin`, and every request has to carry a token that only the page knows.
    pub fn allow_invalidation(mut self) -> Self {
        self.invalidation = true;
        self
    }

    /// The routes, to be nested wherever you like.
    ///
    /// While nobody looks, they cost nothing. While a page is open, its caches write down what they
    /// do, which makes a hit half a microsecond or so dearer, and their shared stores are asked for
    /// their figures every few seconds.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let shown = Arc::new(Shown {
            caches: self.caches,
            title: self.title,
            back: self.back,
            token: self.invalidation.then(Token::new),
            listening: AtomicUsize::new(0),
            feed: live::Feed::default(),
        });
        let with = |answer: fn(&Arc<Shown>) -> Response| {
            let shown = Arc::clone(&shown);
            get(move || std::future::ready(answer(&shown)))
        };
        let page = {
            let shown = Arc::clone(&shown);
            get(move |OriginalUri(uri)| std::future::ready(shown.page(uri.path())))
        };
        let json = {
            let shown = Arc::clone(&shown);
            get(move || async move { text("application/json", shown.json().await) })
        };
        let metrics = {
            let shown = Arc::clone(&shown);
            get(move || async move { text(prometheus::TYPE, shown.metrics().await) })
        };
        let router = Router::new()
            .route("/", page)
            .route("/style.css", with(|_| text("text/css", STYLE)))
            .route("/icon.svg", with(|_| text("image/svg+xml", ICON)))
            .route("/script.js", with(|_| text("text/javascript", SCRIPT)))
            .route("/stats.json", json)
            .route("/metrics", metrics)
            .route("/events", with(live::answer));
        if shown.token.is_none() {
            return router;
        }
        router.route(
            "/invalidate",
            post(move |request| async move { invalidate::answer(&shown, request).await }),
        )
    }
}

impl Default for Dashboard {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dashboard")
            .field("caches", &self.caches)
            .field("invalidation", &self.invalidation)
            .finish()
    }
}

impl Shown {
    fn caches(&self) -> Vec<Cache> {
        match self.caches.is_empty() {
            true => registry::all(),
            false => self.caches.clone(),
        }
    }

    /// The caches, their stores asked for news.
    async fn asked(&self) -> Vec<Cache> {
        let caches = self.caches();
        #[cfg(feature = "stores")]
        crate::rt::all(
            caches
                .iter()
                .map(|cache| Box::pin(cache.refresh_store_memory())),
        )
        .await;
        caches
    }

    async fn json(&self) -> String {
        snapshot::json(&self.asked().await)
    }

    async fn metrics(&self) -> String {
        prometheus::text(&self.asked().await)
    }

    /// What a page that is open is told next: its caches keep what they do.
    async fn live(&self) -> Bytes {
        for cache in self.caches() {
            cache.engine().record(LOOKED_AT);
        }
        let caches = self.asked().await;
        let now = Clock::System.now();
        self.feed.event(now, || snapshot::of_page(&caches))
    }

    fn page(&self, path: &str) -> Response {
        let token = self.token.as_ref().map_or("", Token::as_str);
        let back = self.back.as_ref().map_or_else(String::new, |(url, text)| {
            format!("<a href=\"{}\">{}</a>", escaped(url), escaped(text))
        });
        let page = PAGE
            .replace("{{base}}", &escaped(&beside(path)))
            .replace("{{token}}", token)
            .replace("{{back}}", &back)
            .replace("{{title}}", &escaped(&self.title));
        text("text/html", page)
    }
}

/// Where the other routes are, as the page at this path sees them: a proxy in front may have cut off
/// what was before it.
fn beside(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((_, last)) if !last.is_empty() => format!("./{last}"),
        _ => ".".to_owned(),
    }
}

/// Text that is safe in HTML, in attributes too.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn text(kind: &'static str, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    let kind = match kind {
        prometheus::TYPE => HeaderValue::from_static(kind),
        "text/html" => HeaderValue::from_static("text/html; charset=utf-8"),
        "text/css" => HeaderValue::from_static("text/css; charset=utf-8"),
        "text/javascript" => HeaderValue::from_static("text/javascript; charset=utf-8"),
        kind => HeaderValue::from_static(kind),
    };
    headers.insert(CONTENT_TYPE, kind);
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
