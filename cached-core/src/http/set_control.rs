//! `Cache-Control` for everything behind a layer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{CACHE_CONTROL, EXPIRES};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// Sets `Cache-Control`; made by [`cache_control`] and [`never_cache`].
#[derive(Clone, Debug)]
pub struct ControlLayer {
    value: HeaderValue,
    replace: bool,
}

/// Says in `Cache-Control` what every cache on the way may do with the responses behind it. A
/// response that says so itself, there or in `Expires`, keeps its own.
///
/// ```
/// use dewar::http::cache_control;
/// use http::HeaderValue;
///
/// let layer = cache_control(HeaderValue::from_static("public, max-age=3600"));
/// ```
pub fn cache_control(value: HeaderValue) -> ControlLayer {
    ControlLayer {
        value,
        replace: false,
    }
}

/// Keeps the responses behind it out of every cache, whatever they say: browsers', proxies', and that
/// of a [`CacheLayer`](super::CacheLayer) around it.
///
/// `Expires` is taken out, and what is said to some caches alone: any `…-Cache-Control` (RFC 9213),
/// `Surrogate-Control`, `X-Accel-Expires`.
///
/// ```
/// let layer = dewar::http::never_cache();
/// ```
pub fn never_cache() -> ControlLayer {
    const ALL: &str = "no-store, no-cache, must-revalidate, max-age=0, private";
    ControlLayer {
        value: HeaderValue::from_static(ALL),
        replace: true,
    }
}

impl<S> Layer<S> for ControlLayer {
    type Service = ControlService<S>;

    fn layer(&self, inner: S) -> ControlService<S> {
        ControlService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`ControlLayer`] makes.
#[derive(Clone, Debug)]
pub struct ControlService<S> {
    inner: S,
    layer: ControlLayer,
}

impl<S, B, R> Service<Request<B>> for ControlService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ControlFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ControlFuture {
            inner: self.inner.call(request),
            layer: self.layer.clone(),
        }
    }
}

pin_project! {
    /// The answer of a [`ControlService`].
    #[derive(Debug)]
    pub struct ControlFuture<F> {
        #[pin]
        inner: F,
        layer: ControlLayer,
    }
}

impl<F, R, E> Future for ControlFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        let headers = response.headers_mut();
        let silent = !headers.contains_key(CACHE_CONTROL) && !headers.contains_key(EXPIRES);
        if this.layer.replace || silent {
            headers.insert(CACHE_CONTROL, this.layer.value.clone());
        }
        if this.layer.replace {
            headers.remove(EXPIRES);
            remove_targeted(headers);
        }
        Poll::Ready(Ok(response))
    }
}

/// Takes out what comes before `Cache-Control` for caches of some kind.
fn remove_targeted(headers: &mut HeaderMap) {
    let is_targeted = |name: &HeaderName| {
        name.as_str().ends_with("-cache-control")
            || ["surrogate-control", "x-accel-expires"].contains(&name.as_str())
    };
    let targeted: Vec<_> = headers
        .keys()
        .filter(|name| is_targeted(name))
        .cloned()
        .collect();
    for name in targeted {
        headers.remove(name);
    }
}
