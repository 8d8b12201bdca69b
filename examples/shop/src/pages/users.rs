//! `/users`: everybody, as they have written themselves.

use axum::extract::State;
use axum::response::{Html, IntoResponse};

use crate::Shop;
use crate::data::users;
use crate::templates::context;
use crate::web::failed::Failed;

pub(super) async fn users(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    let users = users::all(&shop.db).await?;
    let html: Html<String> = shop.templates.render("users.html", context! { users })?;
    Ok(html)
}
