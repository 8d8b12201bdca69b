//! `/`: what there is to see.

use axum::extract::State;
use axum::response::{Html, IntoResponse};
use dewar::cached;

use crate::Shop;
use crate::data::Wanted;
use crate::data::products::list;
use crate::templates::context;
use crate::web::{failed::Failed, flash::Flash};

#[cached(view, timeout = "10m", key_prefix = "pages:home", tags("products"))]
pub(super) async fn home(
    State(shop): State<Shop>,
    flash: Flash,
) -> Result<impl IntoResponse, Failed> {
    let list = list(&shop.db, None, 1, Wanted::Cached).await?;
    let products: Vec<_> = list.products.iter().take(4).collect();
    let page: Html<String> = shop.templates.render(
        "home.html",
        context! {
            flash => flash.text(),
            products,
            total => list.total,
            read_at => list.read_at,
        },
    )?;
    Ok(flash.shown_on(page))
}
