//! Asking the dashboard of an application.
#![allow(
    dead_code,
    reason = "every test is a crate of its own and uses a part of this"
)]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use dewar::dashboard::Dashboard;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

pub(crate) fn mounted(dashboard: Dashboard) -> Router {
    Router::new().nest("/admin/cache", dashboard.router())
}

pub(crate) async fn ask(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.unwrap()
}

pub(crate) async fn text(response: Response<Body>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

pub(crate) async fn get(app: &Router, path: &str) -> String {
    let response = ask(app, Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    text(response).await
}

/// A page that is open: the stream of its figures.
pub(crate) async fn opened(app: &Router) -> Body {
    let request = Request::get("/admin/cache/events");
    let response = ask(app, request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body()
}

pub(crate) async fn next(page: &mut Body) -> String {
    let frame = page.frame().await.unwrap().unwrap();
    String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
}

pub(crate) async fn figures(app: &Router) -> Value {
    serde_json::from_str(&get(app, "/admin/cache/stats.json").await).unwrap()
}

pub(crate) fn order(token: &str, from: &[(&str, &str)], body: Value) -> Request<Body> {
    let request = Request::post("/admin/cache/invalidate")
        .header("host", "shop.example")
        .header("content-type", "application/json")
        .header("x-dewar-token", token);
    let request = from.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.body(Body::from(body.to_string())).unwrap()
}

pub(crate) async fn token(app: &Router) -> String {
    let page = get(app, "/admin/cache").await;
    let (_, rest) = page.split_once("data-token=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) const OURS: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];
