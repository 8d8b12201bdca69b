//! Pages that tell the browser what it may keep.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::Shop;
use crate::data::Wanted;
use crate::data::products::list;
use crate::templates::context;
use crate::web::{caching, failed::Failed};

/// `/static-content`: kept by the browser for an hour, which does not ask again before.
pub(super) async fn fixed(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    let html = shop
        .templates
        .render("static.html", minijinja::context! {})?;
    Ok((caching::public(3_600), html))
}

/// `/dynamic-content`: kept by nobody.
pub(super) async fn dynamic(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    let html = shop
        .templates
        .render("dynamic.html", minijinja::context! {})?;
    Ok((caching::never_cache(), html))
}

/// `/conditional-content`: asked for each time, and sent only if it has changed.
pub(super) async fn conditional(
    State(shop): State<Shop>,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let list = list(&shop.db, None, 1, Wanted::Cached).await?;
    let products: Vec<_> = list.products.iter().take(5).collect();
    let html = shop.templates.render(
        "conditional.html",
        context! { products, total => list.total },
    )?;
    Ok(caching::conditional(&headers, html))
}
