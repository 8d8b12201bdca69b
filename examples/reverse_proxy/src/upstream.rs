//! The origin, as a tower service.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::TRANSFER_ENCODING;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::oneshot;
use tower::Service;
use tower_http::timeout::TimeoutBody;

use crate::failure::Failure;
use crate::fields::{TO_CACHE, of_one_connection};
use crate::{AnyError, Settings};

/// The body of a request: a client's, or none where the cache asks by itself.
pub(crate) type Received = Either<Incoming, Empty<Bytes>>;

/// Forwards requests to one origin.
#[derive(Clone)]
pub(crate) struct Upstream {
    client: Client<HttpConnector, Sending>,
    authority: Authority,
    limit: Duration,
}

impl Upstream {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(settings.connect_timeout));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Upstream {
            client,
            authority: settings.upstream.clone(),
            limit: settings.response_timeout,
        }
    }

    fn forwarded(
        &self,
        request: Request<Received>,
    ) -> Result<(Request<Sending>, oneshot::Receiver<()>), http::Error> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        // Its own, whatever the client's (RFC 9110, section 2.5).
        parts.version = Version::HTTP_11;
        parts.uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()?;
        let (end, sent) = oneshot::channel();
        let body = Sending {
            body: Box::pin(TimeoutBody::new(self.limit, body)),
            _end: end,
        };
        Ok((Request::from_parts(parts, body), sent))
    }
}

impl Service<Request<Received>> for Upstream {
    type Response = Response<TimeoutBody<Incoming>>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Received>) -> Self::Future {
        let (limit, forwarded) = (self.limit, self.forwarded(request));
        let client = self.client.clone();
        Box::pin(async move {
            let (request, sent) = forwarded.map_err(|error| Failure::of(error.into()))?;
            let too_long = async {
                // An upload may take its time, as long as it goes on.
                let _ = sent.await;
                tokio::time::sleep(limit).await;
            };
            let mut response = tokio::select! {
                answer = client.request(request) => {
                    answer.map_err(|error| Failure::of(error.into()))?
                }
                () = too_long => return Err(Failure::Slow),
            };
            *response.version_mut() = Version::HTTP_11;
            response.headers_mut().remove(TO_CACHE);
            if may_be_cut(&response) {
                let never = HeaderValue::from_static("no-store");
                response.headers_mut().insert(TO_CACHE, never);
            }
            of_one_connection(response.headers_mut());
            Ok(response.map(|body| TimeoutBody::new(limit, body)))
        })
    }
}

/// Whether the body ends with its connection: one that is closed half way looks the same (RFC 9112,
/// section 8).
fn may_be_cut(response: &Response<Incoming>) -> bool {
    let (body, headers) = (response.body(), response.headers());
    let is_open = !body.is_end_stream() && body.size_hint().exact().is_none();
    is_open && !headers.contains_key(TRANSFER_ENCODING)
}

/// The body of a request; whoever waits for its end is told when it is dropped.
struct Sending {
    body: Pin<Box<TimeoutBody<Received>>>,
    _end: oneshot::Sender<()>,
}

impl Body for Sending {
    type Data = Bytes;
    type Error = AnyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnyError>>> {
        self.body.as_mut().poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
