//! Conditional requests without a cache.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::header::ETAG;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::body::{BoxError, ViewBody};
use super::conditional::{has_validator, not_modified};
use super::control::Control;
use super::fill::{Fill, Reader};
use super::load::etag;
use super::policy::Etag;
use crate::rt::BoxFuture;
use crate::sync::lock;

/// Answers conditional requests; made by [`conditional`].
#[derive(Clone, Debug)]
pub struct ConditionalLayer {
    limit: usize,
}

/// Gives responses an `ETag`, made of their bytes, and answers 304 where the client has them already.
/// The handler still runs: what is saved is the way to the client.
///
/// It concerns GET, HEAD and the status 200. A response with a validator of its own keeps it. A body
/// that does not come at once, or is longer than 1 MiB, passes as it is.
///
/// ```
/// let layer = dewar::http::conditional();
/// ```
pub fn conditional() -> ConditionalLayer {
    ConditionalLayer { limit: 1 << 20 }
}

impl ConditionalLayer {
    /// The longest body that is looked at, in bytes.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }
}

impl<S> Layer<S> for ConditionalLayer {
    type Service = ConditionalService<S>;

    fn layer(&self, inner: S) -> ConditionalService<S> {
        ConditionalService {
            inner,
            limit: self.limit,
        }
    }
}

/// The service that [`ConditionalLayer`] makes.
#[derive(Clone, Debug)]
pub struct ConditionalService<S> {
    inner: S,
    limit: usize,
}

impl<S, B, R> Service<Request<B>> for ConditionalService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    R: Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<ViewBody>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ViewBody>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(
        &mut self,
        request: Request<B>,
    ) -> BoxFuture<'static, Result<Self::Response, S::Error>> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let asked = reads.then(|| (request.method().clone(), request.headers().clone()));
        let (answer, limit) = (self.inner.call(request), self.limit);
        Box::pin(async move {
            let response = answer.await?.map(ViewBody::new);
            Ok(match asked {
                Some((method, headers)) if response.status() == StatusCode::OK => {
                    judged(response, &method, &headers, limit)
                }
                _ => response,
            })
        })
    }
}

fn judged(
    response: Response<ViewBody>,
    method: &Method,
    request: &HeaderMap,
    limit: usize,
) -> Response<ViewBody> {
    let (mut head, mut body) = response.into_parts();
    if !has_validator(&head.headers)
        && method == Method::GET
        && !Control::of(&head.headers).no_store
    {
        body = match at_once(body, limit) {
            Ok(bytes) => {
                head.headers.insert(ETAG, etag(&bytes, Etag::Strong));
                bytes.into()
            }
            Err(body) => body,
        };
    }
    if not_modified(request, &mut head) {
        body = ViewBody::none();
    }
    Response::from_parts(head, body)
}

/// The whole of a body that is there already.
///
/// # Errors
/// The body, untouched as far as its reader can tell.
fn at_once(body: ViewBody, limit: usize) -> Result<bytes::Bytes, ViewBody> {
    let hint = body.size_hint();
    if hint.lower() > limit as u64 {
        return Err(body);
    }
    let found = Arc::new(Mutex::new(None));
    let put = Arc::clone(&found);
    let finish = move |whole| {
        *lock(&put) = whole;
        None
    };
    let fill = Fill::new(body.into_inner(), hint.exact(), limit, Box::new(finish));
    let _ = Arc::clone(&fill).advance();
    let whole = lock(&found).take();
    whole.ok_or_else(|| {
        // No tag can be made any more.
        fill.pass();
        ViewBody::fill(Reader::new(fill, hint))
    })
}
