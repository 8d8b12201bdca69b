//! A cache of its own for everything behind a layer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use tower_layer::Layer;
use tower_service::Service;

use super::scope_body::ScopeBody;
use crate::cache::Cache;
use crate::cache::current::Scoped;

/// Makes a cache the current one for everything behind it: annotated functions and handlers, and
/// layers that were given no cache.
///
/// Two applications in one process that share handlers, but not their state, need one each: entries
/// are told apart by handler and arguments, not by state.
///
/// Bodies belong to it as well, read or dropped: what a stream calls while the response is being sent
/// finds the same cache. What is spawned does not; hand it the cache, or wrap it in
/// [`Cache::scope`](crate::Cache::scope).
///
/// ```
/// use dewar::Cache;
/// use dewar::http::ScopeLayer;
///
/// let tenant = Cache::builder().name("tenant").build()?;
/// let layer = ScopeLayer::new(&tenant);
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ScopeLayer {
    cache: Cache,
}

impl ScopeLayer {
    /// A layer for this cache.
    pub fn new(cache: &Cache) -> Self {
        let cache = cache.clone();
        ScopeLayer { cache }
    }
}

impl<S> Layer<S> for ScopeLayer {
    type Service = ScopeService<S>;

    fn layer(&self, inner: S) -> ScopeService<S> {
        let cache = self.cache.clone();
        ScopeService { inner, cache }
    }
}

/// The service that [`ScopeLayer`] makes.
#[derive(Clone, Debug)]
pub struct ScopeService<S> {
    inner: S,
    cache: Cache,
}

impl<S, R, B> Service<R> for ScopeService<S>
where
    S: Service<R, Response = Response<B>>,
{
    type Response = Response<ScopeBody<B>>;
    type Error = S::Error;
    type Future = ScopeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let inner = &mut self.inner;
        let answer = self.cache.scope_blocking(|| inner.call(request));
        ScopeFuture {
            answer: self.cache.scoped(answer),
            cache: self.cache.clone(),
        }
    }
}

/// The answer of a [`ScopeService`].
pub struct ScopeFuture<F> {
    answer: Scoped<F>,
    cache: Cache,
}

impl<F, B, E> Future for ScopeFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ScopeBody<B>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(Pin::new(&mut self.answer).poll(cx))?;
        Poll::Ready(Ok(response.map(|body| ScopeBody::new(body, &self.cache))))
    }
}

impl<F> std::fmt::Debug for ScopeFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScopeFuture")
    }
}
