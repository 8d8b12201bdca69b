//! A message that is shown once, after something was done.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::{header, request::Parts};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

use super::cookie;

const COOKIE: &str = "flash";

/// The messages that there are. The cookie holds a name, so nobody can put text of theirs on a page.
const MESSAGES: [(&str, &str); 6] = [
    ("created", "The product has been added."),
    (
        "saved",
        "The product has been saved. Every page shows the change at once.",
    ),
    ("deleted", "The product has been deleted."),
    ("welcome", "You are logged in."),
    ("goodbye", "You are logged out."),
    ("renamed", "Your name has been changed."),
];

/// The message that this request is to be shown, if there is one.
///
/// It is an argument like any other where a page is cached whole: with a message it is another page
/// than without, and since it takes the cookie away, it is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Flash(Option<&'static str>);

impl Flash {
    /// The text to show.
    pub fn text(self) -> Option<&'static str> {
        self.0
    }

    /// The page on which it was shown: it is not shown again.
    pub fn shown_on(self, page: impl IntoResponse) -> Response {
        let mut page = page.into_response();
        if self.0.is_some() {
            let taken = cookie::set(COOKIE, "", 0);
            page.headers_mut()
                .extend(taken.map(|taken| (header::SET_COOKIE, taken)));
        }
        page
    }
}

/// Leads to another page, which shows the message of that name.
pub(crate) fn redirect(to: &str, message: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    let given = cookie::set(COOKIE, message, 60);
    response
        .headers_mut()
        .extend(given.map(|given| (header::SET_COOKIE, given)));
    response
}

impl<S: Sync> FromRequestParts<S> for Flash {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let name = cookie::get(&parts.headers, COOKIE);
        let message = MESSAGES.iter().find(|(known, _)| Some(*known) == name);
        Ok(Flash(message.map(|(_, text)| *text)))
    }
}
