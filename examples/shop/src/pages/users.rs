//! `/users`: everybody, as they have written themselves.

use axum::extract::State;
use axum::response::{Html, IntoResponse};
use dewar::cached;

use crate::Shop;
use crate::data::users::all;
use crate::templates::context;
use crate::web::failed::Failed;

#[cached(view, timeout = "10m", key_prefix = "pages:users", tags("users"))]
pub(super) async fn users(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    let users = all(&shop.db).await?;
    let html: Html<String> = shop.templates.render("users.html", context! { users })?;
    Ok(html)
}
