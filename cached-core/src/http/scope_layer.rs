//! A cache of its own for everything behind a layer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use crate::cache::Cache;
use crate::cache::current::Scoped;

/// Makes a cache the current one for everything behind it: annotated functions and handlers, and
/// layers that were given no cache.
///
/// Two applications in one process that share handlers, but not their state, need one each: entries
/// are told apart by handler and arguments, not by state.
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

impl<S: Service<R>, R> Service<R> for ScopeService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = ScopeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let inner = &mut self.inner;
        let answer = self.cache.scope_blocking(|| inner.call(request));
        ScopeFuture(self.cache.scoped(answer))
    }
}

/// The answer of a [`ScopeService`].
pub struct ScopeFuture<F>(Scoped<F>);

impl<F: Future> Future for ScopeFuture<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<F> std::fmt::Debug for ScopeFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScopeFuture")
    }
}
