//! `CacheLayer`.

use std::sync::Arc;

use http_body::Body;
use tower_layer::Layer;

use super::content::Content;
use super::policy::ViewPolicy;
use super::service::CacheService;
use super::view::{Known, View};
use crate::cache::Cache;
use crate::cache::invalidate::Invalidation;
use crate::scope::Label;

/// Caches the responses of everything behind it, by RFC 9111.
///
/// It works on axum routers and method routers, on any other tower service, and in a reverse proxy.
/// It stands in front of extractors and of every check that the handlers make; so what may belong to
/// one user is not shared unless the response says that it is for everybody: see [`ViewPolicy`].
///
/// Each layer has entries of its own, which its clones share. Bodies stream to the client as they
/// come; one that turns out longer than the limit is not stored, and one that is cut short is not
/// either. Streams of events and upgrades pass untouched.
///
/// Outside of a compression layer it keeps one response for each `Accept-Encoding`, inside of one a
/// single response that is compressed each time; there, have the policy give
/// [weak tags](ViewPolicy::weak_etag), as the layer outside changes the bytes.
///
/// With the feature `axum` it knows what nested routers strip from the URL. Behind another router
/// that does so, see [`OriginalUri`](super::OriginalUri).
///
/// ```
/// use bytes::Bytes;
/// use dewar::Cache;
/// use dewar::http::{CacheLayer, ViewPolicy};
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use std::convert::Infallible;
/// use std::time::Duration;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # futures::executor::block_on(async {
/// let cache = Cache::builder().build()?;
/// let policy = ViewPolicy::new().timeout(Duration::from_secs(60));
/// let service = ServiceBuilder::new()
///     .layer(CacheLayer::new(policy).cache(&cache))
///     .service(service_fn(async |_: Request<()>| {
///         Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hello"))))
///     }));
///
/// let ask = || Request::builder().uri("/").body(()).unwrap();
/// let first = service.clone().oneshot(ask()).await.unwrap();
/// assert_eq!(first.headers()["cache-status"], "dewar; fwd=uri-miss; fwd-status=200; ttl=60; stored");
/// let second = service.oneshot(ask()).await.unwrap();
/// assert_eq!(second.headers()["cache-status"], "dewar; hit; ttl=60");
/// # Ok::<(), dewar::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CacheLayer {
    view: Arc<View>,
    cache: Option<Cache>,
    content: Content,
}

impl Default for CacheLayer {
    #[track_caller]
    fn default() -> Self {
        Self::new(ViewPolicy::new())
    }
}

impl CacheLayer {
    /// A layer that stores in the current cache.
    #[track_caller]
    pub fn new(policy: ViewPolicy) -> Self {
        CacheLayer {
            view: Arc::new(View::new("dewar::http::CacheLayer", policy)),
            cache: None,
            content: Content::default(),
        }
    }

    /// Stores in this cache.
    pub fn cache(mut self, cache: &Cache) -> Self {
        self.cache = Some(cache.clone());
        self
    }

    /// Names the type of request bodies, so that the layer sees which requests have none.
    ///
    /// A request with a body goes past the cache. From HTTP/2 on no header need announce one, so there
    /// a request whose body is of an unknown type goes past it too. Known are axum's `Body`, `()`, and
    /// `Empty` and `Full` of `Bytes`; name the type in front of another server, or behind a layer that
    /// wraps bodies: `request_body::<hyper::body::Incoming>()`.
    pub fn request_body<B: Body + 'static>(mut self) -> Self {
        self.content = Content::of::<B>();
        self
    }

    /// The same, and says how a body without content is made.
    ///
    /// What is behind the layer is asked whether a stored response still holds, and its 304 may speak
    /// of another one (RFC 9111, section 4.3.4): then it is asked a second time, for the whole. The
    /// first request has taken its body along, so the second needs one of its own. Of the types that
    /// are known the layer makes it by itself; where it cannot, the client is told 502 that once, and
    /// the stored response is dropped.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use dewar::http::{CacheLayer, ViewPolicy};
    /// use http_body_util::combinators::UnsyncBoxBody;
    ///
    /// type Body = UnsyncBoxBody<Bytes, std::io::Error>;
    ///
    /// let layer = CacheLayer::new(ViewPolicy::proxy()).request_body_with(Body::default);
    /// # let _ = layer;
    /// ```
    pub fn request_body_with<B: Body + 'static>(mut self, empty: fn() -> B) -> Self {
        self.content = Content::made_by(empty);
        self
    }

    /// What it is called in statistics, and its prefix if it is given none.
    ///
    /// On a shared store it is what other processes know the layer by, so each layer of a cache needs
    /// a name of its own there. One without a name goes by the place in the code where it was made.
    pub fn name(self, name: &'static str) -> Self {
        self.with(|view| {
            view.name = name;
            view.known = Known::Layer(None);
        })
    }

    /// The levels on which `invalidate!(prefix = …)` finds its entries.
    pub fn key_prefix(self, prefix: impl Into<Label>) -> Self {
        self.with(|view| view.prefix = Some(prefix.into()))
    }

    /// A tag of its entries, for `invalidate!(tag = …)`.
    pub fn tag(self, tag: impl Into<Label>) -> Self {
        self.with(|view| view.tags.push(tag.into()))
    }

    /// Another layer, so that one that was cloned before keeps its entries to itself.
    fn with(mut self, change: impl FnOnce(&mut View)) -> Self {
        let mut view = self.view.again();
        change(&mut view);
        self.view = Arc::new(view);
        self
    }

    /// Starts an invalidation of everything that this layer has stored in its cache.
    pub fn invalidation(&self) -> Invalidation {
        let cache = self.cache.clone().unwrap_or_else(Cache::current);
        cache.invalidation().view(&self.view)
    }
}

impl<S> Layer<S> for CacheLayer {
    type Service = CacheService<S>;

    fn layer(&self, inner: S) -> CacheService<S> {
        let (view, cache) = (Arc::clone(&self.view), self.cache.clone());
        CacheService::new(inner, view, cache, self.content.clone())
    }
}
