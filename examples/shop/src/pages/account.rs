//! Logging in, and the page of whoever is logged in.

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dewar::cached;
use serde::Deserialize;

use crate::Shop;
use crate::data::users;
use crate::templates::context;
use crate::web::failed::Failed;
use crate::web::flash::{self, Flash};
use crate::web::session::CurrentUser;

#[derive(Debug, Deserialize)]
pub(super) struct Login {
    #[serde(default)]
    login: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rename {
    #[serde(default)]
    name: String,
}

pub(super) async fn form(
    State(shop): State<Shop>,
    flash: Flash,
) -> Result<impl IntoResponse, Failed> {
    Ok(flash.shown_on(login_form(&shop, flash, None).await?))
}

async fn login_form(
    shop: &Shop,
    flash: Flash,
    mistake: Option<&str>,
) -> Result<impl IntoResponse + use<>, Failed> {
    let users = users::all(&shop.db).await?;
    let html = shop.templates.render(
        "login.html",
        context! { flash => flash.text(), users, mistake },
    )?;
    Ok(html)
}

pub(super) async fn login(
    State(shop): State<Shop>,
    flash: Flash,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Result<Response, Failed> {
    let users = users::all(&shop.db).await?;
    let Some(user) = users.iter().find(|user| user.login == login.login) else {
        let form = login_form(&shop, flash, Some("Choose somebody from the list.")).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, form).into_response());
    };
    shop.sessions.end(&headers).await?;
    let cookie = shop.sessions.start(user.id).await?;
    let mut response = flash::redirect("/account", "welcome");
    append(&mut response, cookie);
    Ok(response)
}

pub(super) async fn logout(
    State(shop): State<Shop>,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let cookie = shop.sessions.end(&headers).await?;
    let mut response = flash::redirect("/login", "goodbye");
    append(&mut response, cookie);
    Ok(response)
}

fn append(response: &mut Response, cookie: Option<header::HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// One page for each user: whoever is an argument is in the key.
#[cached(view, timeout = "10m", key_prefix = "user:{id}:account")]
pub(super) async fn account(
    State(shop): State<Shop>,
    CurrentUser { id }: CurrentUser,
    flash: Flash,
) -> Result<Response, Failed> {
    let orders = users::orders(&shop.db, id).await?;
    let user = users::find(&shop.db, id).await?.ok_or(Failed::NotFound)?;
    let html = shop.templates.render(
        "account.html",
        context! { flash => flash.text(), user, orders },
    )?;
    Ok(flash.shown_on(html))
}

pub(super) async fn rename(
    State(shop): State<Shop>,
    user: CurrentUser,
    Form(rename): Form<Rename>,
) -> Result<Response, Failed> {
    let name = rename.name.trim();
    if name.is_empty() || name.chars().count() > 60 {
        return Err(Failed::Refused("A name has 1 to 60 characters."));
    }
    users::rename(&shop.db, user.id, name).await?;
    Ok(flash::redirect("/account", "renamed"))
}
