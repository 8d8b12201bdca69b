//! The type decides, not its name.

use axum::http::HeaderMap;
use axum::routing::get;
use dewar::cached;

type Path = HeaderMap;

#[cached(view, timeout = 60)]
async fn page(path: Path) -> String {
    format!("{path:?}")
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", get(page));
}
