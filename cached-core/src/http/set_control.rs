//! `Cache-Control` for everything behind a layer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, EXPIRES, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::list::members;
use super::policy::never_public;

/// Sets `Cache-Control`; made by [`cache_control`] and [`never_cache`].
#[derive(Clone, Debug)]
pub struct ControlLayer {
    value: HeaderValue,
    /// What of it goes with errors.
    forbids: Option<HeaderValue>,
    replace: bool,
    for_everybody: bool,
}

/// Says in `Cache-Control` what every cache on the way may do with the responses behind it. A
/// response that says so itself, there or in `Expires`, keeps its own.
///
/// What may be of one client is not told to be for all: where the request has `Authorization` or
/// `Cookie`, or the response sets a cookie, `public` and `s-maxage` become `private`. Handlers that look at
/// neither have their responses kept by caches on the way, whoever asks, with
/// [`for_everybody`](ControlLayer::for_everybody). Errors, and redirects of the moment (302, 303, 307), are
/// told no lifetime and only what forbids: `no-store`, `no-cache`, `private`, `no-transform`.
///
/// ```
/// use dewar::http::cache_control;
/// use http::HeaderValue;
///
/// let layer = cache_control(HeaderValue::from_static("public, max-age=3600"));
/// ```
pub fn cache_control(value: HeaderValue) -> ControlLayer {
    ControlLayer {
        forbids: forbidding(&value),
        value,
        replace: false,
        for_everybody: false,
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
        replace: true,
        ..cache_control(HeaderValue::from_static(ALL))
    }
}

impl ControlLayer {
    /// Requests with `Authorization` or `Cookie` are answered with the same as all others: what is behind
    /// the layer looks at neither. A response that sets a cookie is `private` all the same.
    ///
    /// ```
    /// use dewar::http::cache_control;
    /// use http::HeaderValue;
    ///
    /// let files = cache_control(HeaderValue::from_static("public, max-age=86400")).for_everybody();
    /// ```
    #[must_use]
    pub fn for_everybody(mut self) -> Self {
        self.for_everybody = true;
        self
    }

    /// What a response without a word of its own is told.
    fn told(&self, status: StatusCode, is_personal: bool) -> Option<HeaderValue> {
        let told = match is_of_the_moment(status) {
            true => self.forbids.as_ref()?,
            false => &self.value,
        };
        Some(match is_personal {
            true => never_public(told),
            false => told.clone(),
        })
    }
}

/// Statuses that say nothing of what the next request will be answered.
fn is_of_the_moment(status: StatusCode) -> bool {
    let moves = matches!(status.as_u16(), 302 | 303 | 307);
    moves || status.is_client_error() || status.is_server_error()
}

/// Those directives that forbid something.
fn forbidding(told: &HeaderValue) -> Option<HeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, told.clone());
    let forbids = |directive: &&[u8]| {
        let name = directive.split(|byte| *byte == b'=').next();
        let name = name.unwrap_or_default().trim_ascii();
        let all = ["no-store", "no-cache", "private", "no-transform"];
        all.iter()
            .any(|it| name.eq_ignore_ascii_case(it.as_bytes()))
    };
    let kept: Vec<&[u8]> = members(&headers, CACHE_CONTROL).filter(forbids).collect();
    let kept = (!kept.is_empty()).then(|| kept.join(&b", "[..]));
    kept.and_then(|kept| HeaderValue::from_bytes(&kept).ok())
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
        let headers = request.headers();
        let says_who = headers.contains_key(AUTHORIZATION) || headers.contains_key(COOKIE);
        ControlFuture {
            is_personal: says_who && !self.layer.for_everybody,
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
        is_personal: bool,
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
        let status = response.status();
        let headers = response.headers_mut();
        if this.layer.replace {
            headers.insert(CACHE_CONTROL, this.layer.value.clone());
            headers.remove(EXPIRES);
            remove_targeted(headers);
        } else if !headers.contains_key(CACHE_CONTROL) && !headers.contains_key(EXPIRES) {
            let is_personal = *this.is_personal || headers.contains_key(SET_COOKIE);
            if let Some(told) = this.layer.told(status, is_personal) {
                headers.insert(CACHE_CONTROL, told);
            }
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
