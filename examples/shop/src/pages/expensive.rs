//! `/expensive-view`: a page that takes long to make.

use axum::extract::State;
use axum::response::{Html, IntoResponse};
use dewar::cached;

use crate::Shop;
use crate::data::reports;
use crate::templates::context;
use crate::web::failed::Failed;

#[cached(view, timeout = "5m", key_prefix = "pages:expensive", tags("products"))]
pub(super) async fn expensive(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    let report = reports::stock(&shop.db).await?;
    let html: Html<String> = shop
        .templates
        .render("expensive.html", context! { report })?;
    Ok(html)
}
