//! A caching reverse proxy in front of any origin.
//!
//! ```text
//! LISTEN=127.0.0.1:8080 UPSTREAM=http://127.0.0.1:9000 cargo run --example reverse_proxy
//! ```
//!
//! What it does is all in `CacheLayer`: it stores what the origin's responses allow, answers
//! conditions and ranges by itself, asks the origin whether what is stale still holds, serves stale
//! what the origin allows (`stale-while-revalidate`, `stale-if-error`), and says in `Cache-Status` which of it that was. A response
//! without freshness of its own is not stored, but for one that has not changed for long: a tenth of
//! that time.
//!
//! Requests with a `Cookie` and responses with a `Set-Cookie` go past the cache. `COOKIES=shared`
//! treats them as HTTP does, which gives cookies no meaning for caches: right where the origin marks
//! what belongs to one user as `private`.

mod upstream;

use std::env;
use std::error::Error;

use dewar::Cache;
use dewar::http::{CacheLayer, Credentials, SetCookie, ViewBody, ViewPolicy};
use http::{HeaderValue, Response, StatusCode};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

use upstream::Upstream;

type AnyError = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let listen = setting("LISTEN", "127.0.0.1:8080")?;
    let upstream = Upstream::new(&setting("UPSTREAM", "http://127.0.0.1:9000")?)?;
    let cache = Cache::builder().max_bytes(256 << 20).build()?;
    let layer = CacheLayer::new(policy(&setting("COOKIES", "private")?)?).cache(&cache);
    let proxy = layer.layer(upstream);

    let listener = TcpListener::bind(&listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(proxy.clone().map_result(or_bad_gateway));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            // A client that goes away is no error of ours.
            let _ = connection.await;
        });
    }
}

/// An origin speaks for itself; the proxy adds what caches may do besides.
fn policy(cookies: &str) -> Result<ViewPolicy, AnyError> {
    let policy = ViewPolicy::proxy().heuristic(100).body_limit(16 << 20);
    match cookies {
        "private" => Ok(policy),
        "shared" => Ok(policy
            .cookies(Credentials::Ignored)
            .set_cookie(SetCookie::Kept)),
        other => Err(format!("COOKIES is `{other}`: give `private` or `shared`").into()),
    }
}

fn setting(name: &str, default: &str) -> Result<String, AnyError> {
    match env::var(name) {
        Ok(value) => Ok(value),
        Err(env::VarError::NotPresent) => Ok(default.into()),
        Err(error) => Err(format!("{name}: {error}").into()),
    }
}

/// The origin cannot be reached, and nothing stored may stand in.
fn or_bad_gateway(
    answer: Result<Response<ViewBody>, AnyError>,
) -> Result<Response<ViewBody>, AnyError> {
    Ok(answer.unwrap_or_else(|error| {
        eprintln!("upstream: {error}");
        let mut response = Response::new(ViewBody::empty());
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert("cache-control", no_store);
        response
    }))
}
