//! Pages that tell the browser what it may keep; the layers that say so stand in the router.

use axum::extract::State;
use axum::response::IntoResponse;

use crate::Shop;
use crate::data::Wanted;
use crate::data::products::list;
use crate::templates::context;
use crate::web::failed::Failed;

/// `/static-content`: the browser keeps it for an hour, and does not ask again before.
pub(super) async fn fixed(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    shop.templates.render("static.html", minijinja::context! {})
}

/// `/dynamic-content`: nobody keeps it.
pub(super) async fn dynamic(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    shop.templates
        .render("dynamic.html", minijinja::context! {})
}

/// `/conditional-content`: asked for each time, and sent only if it has changed.
pub(super) async fn by_condition(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    let list = list(&shop.db, None, 1, Wanted::Cached).await?;
    let products: Vec<_> = list.products.iter().take(5).collect();
    shop.templates.render(
        "conditional.html",
        context! { products, total => list.total },
    )
}
