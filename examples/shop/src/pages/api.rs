//! `/api/data` and `/api/products`.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use dewar::cached;
use serde_json::json;

use super::products::ListQuery;
use crate::Shop;
use crate::data::Wanted;
use crate::data::products::{categories, list};
use crate::web::failed::ApiFailed;

/// What the shop has, in numbers.
#[cached(view, timeout = "10m", key_prefix = "api:data", tags("products"))]
pub(super) async fn data(State(shop): State<Shop>) -> Result<impl IntoResponse, ApiFailed> {
    let categories = categories(&shop.db).await?;
    let total: i64 = categories.iter().map(|(_, count)| count).sum();
    let categories: serde_json::Map<_, _> = categories
        .into_iter()
        .map(|(name, count)| (name, count.into()))
        .collect();
    Ok(Json(json!({ "products": total, "categories": categories })))
}

/// A page of the products.
#[cached(
    view,
    timeout = "10m",
    key_prefix = "api:products",
    tags("products"),
    query(sorted, only("page", "category")),
    unless = query.wanted() == Wanted::Bypassed,
    refresh_if = query.wanted() == Wanted::Refreshed,
)]
pub(super) async fn products(
    State(shop): State<Shop>,
    Query(query): Query<ListQuery>,
) -> Result<impl IntoResponse, ApiFailed> {
    let page = query.page();
    let list = list(&shop.db, query.category(), page, query.wanted()).await?;
    Ok(Json(json!({
        "page": page,
        "pages": list.pages(),
        "total": list.total,
        "read_at": list.read_at,
        "products": list.products,
    })))
}
