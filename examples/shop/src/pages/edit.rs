//! Adding, changing and deleting products.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::products::number;
use crate::Shop;
use crate::data::products::{self, Draft, categories};
use crate::templates::context;
use crate::web::{failed::Failed, flash};

/// The form, as it was filled in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    name: String,
    category: String,
    maker: String,
    price: String,
    stock: String,
    description: String,
}

/// What is wrong with a field, if anything is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Mistakes {
    name: Option<&'static str>,
    category: Option<&'static str>,
    maker: Option<&'static str>,
    price: Option<&'static str>,
    stock: Option<&'static str>,
    description: Option<&'static str>,
}

impl From<Draft> for Fields {
    fn from(product: Draft) -> Self {
        Fields {
            name: product.name,
            category: product.category,
            maker: product.maker,
            price: format!("{}.{:02}", product.cents / 100, product.cents % 100),
            stock: product.stock.to_string(),
            description: product.description,
        }
    }
}

impl Fields {
    /// The product that is meant, or what is wrong.
    fn read(&self, categories: &[(String, i64)]) -> Result<Draft, Mistakes> {
        let known = categories.iter().any(|(name, _)| *name == self.category);
        let cents = cents(self.price.trim());
        let stock = self.stock.trim().parse().ok();
        let stock = stock.filter(|stock| (0..=1_000_000).contains(stock));
        let mistakes = Mistakes {
            name: length(&self.name, 1, 80),
            category: (!known).then_some("Choose one of the categories."),
            maker: length(&self.maker, 1, 60),
            price: cents
                .is_none()
                .then_some("Give a price such as 12.50, up to 1,000,000."),
            stock: stock
                .is_none()
                .then_some("Give a whole number from 0 to 1,000,000."),
            description: length(&self.description, 0, 500),
        };
        match (cents, stock) {
            (Some(cents), Some(stock)) if mistakes == Mistakes::default() => Ok(Draft {
                name: self.name.trim().to_owned(),
                category: self.category.clone(),
                maker: self.maker.trim().to_owned(),
                description: self.description.trim().to_owned(),
                cents,
                stock,
            }),
            _ => Err(mistakes),
        }
    }
}

fn length(text: &str, least: usize, most: usize) -> Option<&'static str> {
    let length = text.trim().chars().count();
    match () {
        () if length < least => Some("This field must not be empty."),
        () if length > most => Some("This is too long."),
        () => None,
    }
}

/// `12`, `12.5` or `12.50`.
fn cents(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 7 || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let cents: i64 = format!("{whole}{part:0<2}").parse().ok()?;
    (cents <= 100_000_000).then_some(cents)
}

pub(super) async fn new(State(shop): State<Shop>) -> Result<Response, Failed> {
    let fields = Fields {
        stock: "0".to_owned(),
        ..Fields::default()
    };
    form(&shop, None, &fields, &Mistakes::default()).await
}

pub(super) async fn create(
    State(shop): State<Shop>,
    Form(fields): Form<Fields>,
) -> Result<Response, Failed> {
    match fields.read(&categories(&shop.db).await?) {
        Ok(draft) => {
            let id = products::create(&shop.db, &draft).await?;
            Ok(flash::redirect(&format!("/products/{id}"), "created"))
        }
        Err(mistakes) => form(&shop, None, &fields, &mistakes).await,
    }
}

pub(super) async fn edit(
    State(shop): State<Shop>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let id = number(&id)?;
    let product = products::find(&shop.db, id)
        .await?
        .ok_or(Failed::NotFound)?;
    form(
        &shop,
        Some(id),
        &Fields::from(product.draft),
        &Mistakes::default(),
    )
    .await
}

pub(super) async fn update(
    State(shop): State<Shop>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, Failed> {
    let id = number(&id)?;
    match fields.read(&categories(&shop.db).await?) {
        Ok(draft) if products::update(&shop.db, id, &draft).await? => {
            Ok(flash::redirect(&format!("/products/{id}"), "saved"))
        }
        Ok(_) => Err(Failed::NotFound),
        Err(mistakes) => form(&shop, Some(id), &fields, &mistakes).await,
    }
}

pub(super) async fn delete(
    State(shop): State<Shop>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    if !products::delete(&shop.db, number(&id)?).await? {
        return Err(Failed::NotFound);
    }
    Ok(flash::redirect("/products", "deleted"))
}

/// The form; with what is wrong beside each field, if anything is.
async fn form(
    shop: &Shop,
    id: Option<i64>,
    fields: &Fields,
    mistakes: &Mistakes,
) -> Result<Response, Failed> {
    let wrong = *mistakes != Mistakes::default();
    let categories = categories(&shop.db).await?;
    let html = shop.templates.render(
        "form.html",
        context! { id, fields, mistakes, wrong, categories },
    )?;
    let status = match wrong {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    Ok((status, html).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_to_the_cent() {
        assert_eq!(cents("12"), Some(1_200));
        assert_eq!(cents("12.5"), Some(1_250));
        assert_eq!(cents("0.05"), Some(5));
        assert_eq!(cents("1000000"), Some(100_000_000));
        for wrong in [
            "",
            ".",
            "-1",
            "1,5",
            "1.234",
            "1e3",
            "1000000.01",
            "12345678",
            "٣",
        ] {
            assert_eq!(cents(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_field_says_what_is_wrong_with_it() {
        let fields = Fields {
            name: " ".into(),
            maker: "x".repeat(61),
            price: "free".into(),
            stock: "-1".into(),
            ..Fields::default()
        };
        let mistakes = fields.read(&[]).unwrap_err();
        assert!(mistakes.name.is_some() && mistakes.maker.is_some());
        assert!(mistakes.category.is_some() && mistakes.price.is_some());
        assert!(mistakes.stock.is_some() && mistakes.description.is_none());
    }
}
