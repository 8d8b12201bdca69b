//! `/benchmark`: Fibonacci numbers, cold each time.

use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse};
use serde::Deserialize;

use crate::Shop;
use crate::data::fibonacci::{self, LARGEST, PLAIN};
use crate::templates::context;
use crate::web::failed::Failed;

#[derive(Debug, Deserialize)]
pub(super) struct BenchmarkQuery {
    n: Option<String>,
}

pub(super) async fn benchmark(
    State(shop): State<Shop>,
    Query(query): Query<BenchmarkQuery>,
) -> Result<impl IntoResponse, Failed> {
    let n = query.n.as_deref().and_then(|n| n.trim().parse().ok());
    let n = n.unwrap_or(30).clamp(1, LARGEST);
    // It would hold up whoever else is served by this thread.
    let found = tokio::task::spawn_blocking(move || fibonacci::benchmark(n)).await;
    let found = found.map_err(|error| Failed::Other(error.to_string()))??;
    let slowest = found.plain.as_ref().unwrap_or(&found.cold).micros;
    let html: Html<String> = shop.templates.render(
        "benchmark.html",
        context! { found, slowest, plain_limit => PLAIN, largest => LARGEST },
    )?;
    Ok(html)
}
