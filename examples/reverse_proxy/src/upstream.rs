//! The origin, as a tower service.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{CONNECTION, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::Service;

use crate::AnyError;

/// Forwards requests to one origin.
#[derive(Clone)]
pub(crate) struct Upstream {
    client: Client<HttpConnector, Incoming>,
    authority: Authority,
}

impl Upstream {
    /// The origin at a URL such as `http://127.0.0.1:9000`.
    pub(crate) fn new(url: &str) -> Result<Self, AnyError> {
        let wrong = || format!("UPSTREAM is `{url}`: give one such as `http://127.0.0.1:9000`");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(wrong().into());
        }
        let authority = uri.authority().cloned().ok_or_else(wrong)?;
        let client = Client::builder(TokioExecutor::new())
            .retry_canceled_requests(false)
            .build_http();
        Ok(Upstream { client, authority })
    }

    fn forwarded(&self, request: Request<Incoming>) -> Result<Request<Incoming>, http::Error> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()?;
        of_one_connection(&mut parts.headers);
        if !parts.headers.contains_key(HOST) {
            let host = HeaderValue::from_str(self.authority.as_str())?;
            parts.headers.insert(HOST, host);
        }
        parts
            .headers
            .append(VIA, HeaderValue::from_static("1.1 dewar"));
        Ok(Request::from_parts(parts, body))
    }
}

impl Service<Request<Incoming>> for Upstream {
    type Response = Response<Incoming>;
    type Error = AnyError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, AnyError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AnyError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let answer = self.forwarded(request).map(|it| self.client.request(it));
        Box::pin(async move {
            let mut response = answer?.await?;
            of_one_connection(response.headers_mut());
            Ok(response)
        })
    }
}

/// Takes out the fields that concern one connection only.
fn of_one_connection(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    let known = [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    let more = ["keep-alive", "proxy-connection"].map(HeaderName::from_static);
    for name in listed.into_iter().chain(known).chain(more) {
        headers.remove(name);
    }
}
