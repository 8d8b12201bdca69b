//! The service that `CacheLayer` makes.

use std::any::TypeId;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::again::Again;
use super::body::{BoxError, ViewBody};
use super::content::Content;
use super::look::{Look, Way, look};
use super::url;
use super::view::View;
use crate::cache::Cache;
use crate::engine::at::Mode;
use crate::engine::site::Marker;
use crate::key::arg;
use crate::rt::BoxFuture;

/// A service whose responses are cached; made by [`CacheLayer`](super::CacheLayer).
#[derive(Clone, Debug)]
pub struct CacheService<S> {
    inner: S,
    view: Arc<View>,
    cache: Option<Cache>,
    content: Content,
}

impl<S> CacheService<S> {
    pub(super) fn new(inner: S, view: Arc<View>, cache: Option<Cache>, content: Content) -> Self {
        CacheService {
            inner,
            view,
            cache,
            content,
        }
    }
}

impl<S, B, R> Service<Request<B>> for CacheService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: Send + 'static,
    R: Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<ViewBody>;
    type Error = S::Error;
    type Future = CacheFuture<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let cache = self.cache.clone().unwrap_or_else(Cache::current);
        // What a router has taken off the path, or a middleware has put in its place.
        let rewritten = *url::of(&parts) != parts.uri;
        let seen = rewritten.then(|| url::seen(&parts.uri, &self.view.policy.query));
        let mode = if self.content.may_be_in(&body, parts.version) {
            Mode::Bypass
        } else {
            Mode::Read
        };
        let extra = (arg(&seen).part(), ());
        let way = Way {
            mode,
            // Layers are told apart by their numbers, or their names.
            marker: Marker {
                id: TypeId::of::<View>(),
                name: "",
            },
            travels: true,
            early: false,
        };
        let found = look(way, &self.view, &cache, &parts, extra, |_| ());
        let job = match found {
            Look::Answer(response) => return CacheFuture(State::Ready(Some(response))),
            Look::Run(job) => job,
        };
        // The one that was polled ready is the one to be called.
        let again = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, again);
        let content = self.content.clone();
        let run = job.run(move |conditions| {
            conditions.apply(&mut parts.headers);
            let again = Again::new(&conditions, &parts);
            let answer = inner.call(Request::from_parts(parts, body));
            async move {
                let response = answer.await?;
                let again = again.and_then(|again| again.request(&response, &content));
                let Some(request) = again else {
                    return Ok(response.map(ViewBody::new));
                };
                drop(response);
                poll_fn(|cx| inner.poll_ready(cx)).await?;
                Ok(inner.call(request).await?.map(ViewBody::new))
            }
        });
        CacheFuture(State::Running(Box::pin(run)))
    }
}

/// The answer of a [`CacheService`].
pub struct CacheFuture<E>(State<E>);

enum State<E> {
    Ready(Option<Response<ViewBody>>),
    Running(BoxFuture<'static, Result<Response<ViewBody>, E>>),
}

impl<E> Future for CacheFuture<E> {
    type Output = Result<Response<ViewBody>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(response) => response
                .take()
                .map_or(Poll::Pending, |response| Poll::Ready(Ok(response))),
            State::Running(running) => running.as_mut().poll(cx),
        }
    }
}

impl<E> std::fmt::Debug for CacheFuture<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CacheFuture")
    }
}
