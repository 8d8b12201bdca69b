//! What a visitor is told when something goes wrong.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

/// Why there is no page.
#[derive(Debug)]
pub enum Failed {
    /// There is nothing at this address.
    NotFound,
    /// The request makes no sense; what is wrong with it.
    Refused(&'static str),
    /// The database did not answer.
    Database(sqlx::Error),
    /// A template could not be rendered.
    Template(minijinja::Error),
    /// Anything else.
    Other(String),
}

impl Failed {
    fn status(&self) -> StatusCode {
        match self {
            Failed::NotFound => StatusCode::NOT_FOUND,
            Failed::Refused(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// For the visitor; what is the shop's own affair is for its log.
    fn message(&self) -> &'static str {
        match self {
            Failed::NotFound => "There is nothing at this address.",
            Failed::Refused(why) => why,
            Failed::Database(_) | Failed::Template(_) | Failed::Other(_) => {
                "Something went wrong on our side. Please try again."
            }
        }
    }

    fn log(&self) {
        match self {
            Failed::NotFound | Failed::Refused(_) => {}
            Failed::Database(error) => eprintln!("shop: database: {error}"),
            Failed::Template(error) => eprintln!("shop: template: {error:#}"),
            Failed::Other(error) => eprintln!("shop: {error}"),
        }
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Failed::Database(error)
    }
}

impl From<minijinja::Error> for Failed {
    fn from(error: minijinja::Error) -> Self {
        Failed::Template(error)
    }
}

impl From<dewar::Error> for Failed {
    fn from(error: dewar::Error) -> Self {
        Failed::Other(error.to_string())
    }
}

impl IntoResponse for Failed {
    /// A page that needs no template: a template may be what failed.
    fn into_response(self) -> Response {
        self.log();
        let (status, message) = (self.status(), self.message());
        let [style, icon] = ["shop.css", "icon.svg"].map(super::assets::url);
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{status} · Dewar's</title>\
             <link rel=\"icon\" href=\"{icon}\"><link rel=\"stylesheet\" href=\"{style}\">\
             <header class=\"top\"><div class=\"wide\"><a class=\"brand\" href=\"/\">\
             <img src=\"{icon}\" width=\"28\" height=\"28\" alt=\"\">Dewar's</a></div></header>\
             <main class=\"wide\"><h1>{status}</h1><p class=\"lead\">{message}</p>\
             <p><a class=\"button\" href=\"/products\">See the products</a></p></main></html>"
        );
        (status, Html(page)).into_response()
    }
}

/// The same for a program.
#[derive(Debug)]
pub struct ApiFailed(Failed);

impl<E: Into<Failed>> From<E> for ApiFailed {
    fn from(error: E) -> Self {
        ApiFailed(error.into())
    }
}

impl IntoResponse for ApiFailed {
    fn into_response(self) -> Response {
        self.0.log();
        let body = serde_json::json!({ "error": self.0.message() });
        (self.0.status(), Json(body)).into_response()
    }
}
