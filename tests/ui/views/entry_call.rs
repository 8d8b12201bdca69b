//! A view's entries go by their URLs: `entry!` has none to give, whatever the arguments.

use axum::extract::Path;
use axum::routing::get;
use dewar::{cached, entry};

#[cached(view, timeout = 60)]
async fn product(Path((shop, id)): Path<(String, u64)>) -> String {
    format!("{shop} {id}")
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/{shop}/{id}", get(product));
    let _ = entry!(product("north", 1));
}
