//! The body of a response from behind a [`ScopeLayer`](super::ScopeLayer).

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::cache::Cache;

pin_project! {
    /// A body inside which the cache of a [`ScopeLayer`](super::ScopeLayer) is the current one: what a
    /// handler does while its response is being sent belongs to its application too.
    pub struct ScopeBody<B> {
        #[pin]
        body: Option<B>,
        cache: Option<Cache>,
    }

    impl<B> PinnedDrop for ScopeBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            inside(this.cache, || this.body.set(None));
        }
    }
}

impl<B> ScopeBody<B> {
    pub(super) fn new(body: B, cache: &Cache) -> Self {
        ScopeBody {
            body: Some(body),
            cache: Some(cache.clone()),
        }
    }
}

/// What stands in for a response in layers outside, as one that limits time makes it: in no scope.
impl<B: Default> Default for ScopeBody<B> {
    fn default() -> Self {
        ScopeBody {
            body: Some(B::default()),
            cache: None,
        }
    }
}

fn inside<T>(cache: &Option<Cache>, run: impl FnOnce() -> T) -> T {
    match cache {
        Some(cache) => cache.scope_blocking(run),
        None => run(),
    }
}

impl<B: Body> Body for ScopeBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        match this.body.as_pin_mut() {
            Some(body) => inside(this.cache, || body.poll_frame(cx)),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl<B> std::fmt::Debug for ScopeBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScopeBody")
    }
}
