//! `/`: what there is to see.

use axum::extract::State;
use axum::response::{Html, IntoResponse};

use crate::Shop;
use crate::data::Wanted;
use crate::data::products::list;
use crate::templates::context;
use crate::web::{failed::Failed, flash::Flash};

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
