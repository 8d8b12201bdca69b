//! `/products` and `/products/{id}`.

use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use dewar::cached;
use serde::Deserialize;

use crate::Shop;
use crate::data::Wanted;
use crate::data::products::{self, categories};
use crate::templates::context;
use crate::web::{failed::Failed, flash::Flash};

/// What may follow `/products?`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    page: Option<String>,
    category: Option<String>,
    cache: Option<String>,
    refresh: Option<String>,
}

impl ListQuery {
    /// `?cache=false` and `?refresh=1`.
    pub(super) fn wanted(&self) -> Wanted {
        match (self.cache.as_deref(), self.refresh.as_deref()) {
            (Some("false" | "0"), _) => Wanted::Bypassed,
            (_, Some("1" | "true")) => Wanted::Refreshed,
            _ => Wanted::Cached,
        }
    }

    /// From 1 on; whatever is no number is the first.
    pub(super) fn page(&self) -> i64 {
        let page = self.page.as_deref().and_then(|page| page.parse().ok());
        page.unwrap_or(1).clamp(1, 1_000_000)
    }

    /// One of the categories.
    pub(super) fn category(&self) -> Option<&str> {
        self.category.as_deref().filter(|name| !name.is_empty())
    }
}

#[cached(
    view,
    timeout = "10m",
    key_prefix = "pages:products",
    tags("products"),
    query(sorted, only("page", "category")),
    unless = query.wanted() == Wanted::Bypassed,
    refresh_if = query.wanted() == Wanted::Refreshed,
)]
pub(super) async fn list(
    State(shop): State<Shop>,
    Query(query): Query<ListQuery>,
    flash: Flash,
) -> Result<impl IntoResponse, Failed> {
    let (page, category) = (query.page(), query.category());
    let categories = categories(&shop.db).await?;
    if category.is_some_and(|name| categories.iter().all(|(known, _)| known != name)) {
        return Err(Failed::NotFound);
    }
    let list = products::list(&shop.db, category, page, query.wanted()).await?;
    let pages = list.pages();
    if page > pages.max(1) {
        return Err(Failed::NotFound);
    }
    let html = shop.templates.render(
        "products.html",
        context! { flash => flash.text(), list, page, pages, category, categories },
    )?;
    Ok(flash.shown_on(html))
}

#[cached(
    view,
    timeout = "1h",
    key_prefix = "product:{id}:page",
    query(ignore("*"))
)]
pub(super) async fn detail(
    State(shop): State<Shop>,
    Path(id): Path<String>,
    flash: Flash,
) -> Result<impl IntoResponse, Failed> {
    let id = number(&id)?;
    let product = products::find(&shop.db, id)
        .await?
        .ok_or(Failed::NotFound)?;
    let html = shop
        .templates
        .render("product.html", context! { flash => flash.text(), product })?;
    Ok(flash.shown_on(html))
}

/// The number in an address; what is none leads nowhere.
pub(super) fn number(text: &str) -> Result<i64, Failed> {
    text.parse().map_err(|_| Failed::NotFound)
}
