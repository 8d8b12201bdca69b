//! From a client's connection to the origin.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use dewar::Cache;
use dewar::http::{CacheLayer, CacheService, Credentials, SetCookie, ViewBody, ViewPolicy};
use http::uri::Authority;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{Either, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

use crate::upstream::{Received, Upstream};
use crate::{AnyError, Settings, failure, fields};

/// How long requests that are under way may go on after the proxy is told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// Serves clients until `stop` is ready.
///
/// # Errors
/// Where the cache cannot be made.
pub async fn serve(
    listener: TcpListener,
    settings: &Settings,
    stop: impl Future<Output = ()>,
) -> Result<(), AnyError> {
    let cache = Cache::builder().max_bytes(256 << 20).build()?;
    // Bodies are hyper's: the layer is told so that it sees which requests have one, and can ask the
    // origin once more without.
    let none: fn() -> Received = || Either::Right(Empty::new());
    let layer = CacheLayer::new(policy(settings)).request_body_with(none);
    let proxy = Proxy {
        cached: layer.cache(&cache).layer(Upstream::new(settings)),
        upstream: settings.upstream.clone(),
    };
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, client) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, say: those that are open go on.
                    eprintln!("accept: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let proxy = proxy.clone();
        let service = service_fn(move |request| {
            let proxy = proxy.clone();
            async move { Ok::<_, Infallible>(proxy.answer(request, client.ip()).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // A client that goes away is no error of ours.
            let _ = connection.await;
        });
    }
    let _ = tokio::time::timeout(LAST_REQUESTS, connections.shutdown()).await;
    Ok(())
}

/// An origin speaks for itself; the proxy adds what caches may do besides.
fn policy(settings: &Settings) -> ViewPolicy {
    let mut policy = ViewPolicy::proxy()
        .body_limit(16 << 20)
        .targeted(fields::TO_CACHE);
    if settings.heuristic {
        policy = policy.heuristic(100);
    }
    if settings.shared_cookies {
        policy = policy
            .cookies(Credentials::Ignored)
            .set_cookie(SetCookie::Kept);
    }
    policy
}

#[derive(Clone)]
struct Proxy {
    cached: CacheService<Upstream>,
    upstream: Authority,
}

impl Proxy {
    async fn answer(self, request: Request<Incoming>, client: IpAddr) -> Response<ViewBody> {
        if request.method() == Method::CONNECT {
            // A tunnel to anywhere is what a reverse proxy must not be.
            let mut response = Response::new(ViewBody::empty());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            return response;
        }
        let (mut parts, body) = request.into_parts();
        if fields::received(&mut parts, client, &self.upstream).is_err() {
            return failure::refused(
                StatusCode::BAD_REQUEST,
                "name one host, as in `Host: shop.test`\n",
            );
        }
        let answer = self
            .cached
            .oneshot(Request::from_parts(parts, Either::Left(body)));
        let mut response = answer.await.unwrap_or_else(|failure| {
            eprintln!("upstream: {failure}");
            failure.response()
        });
        response.headers_mut().remove(fields::TO_CACHE);
        response
    }
}
