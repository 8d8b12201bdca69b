//! What holds for every request: who may write, and what a page may load.

use std::time::Instant;

use axum::extract::Request;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::failed::Failed;

/// Nothing from outside, and no script but the shop's own file.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Refuses forms that another site has sent, adds the headers, and says how long it took.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let mut response = if from_elsewhere(&request) {
        Failed::Refused("This form was sent by another site.").into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let millis = started.elapsed().as_secs_f64() * 1e3;
    if let Ok(timing) = HeaderValue::try_from(format!("total;dur={millis:.3}")) {
        headers.insert(HeaderName::from_static("server-timing"), timing);
    }
    response
}

fn from_elsewhere(request: &Request) -> bool {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let site = request.headers().get("sec-fetch-site");
    !reads && site.is_some_and(|site| site != "same-origin" && site != "none")
}
