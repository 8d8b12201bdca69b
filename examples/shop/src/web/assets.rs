//! Style sheet, script and icon, from the binary.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::failed::Failed;

/// Name, type and content.
const ASSETS: [(&str, &str, &str); 3] = [
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../assets/icon.svg"),
    ),
    (
        "shop.css",
        "text/css; charset=utf-8",
        include_str!("../assets/shop.css"),
    ),
    (
        "weather.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/weather.js"),
    ),
];

/// Where an asset is: the address changes with the content, so browsers may keep it for good.
pub(crate) fn url(name: &str) -> String {
    let content = ASSETS.iter().find(|(known, ..)| *known == name);
    let mut hasher = DefaultHasher::new();
    content.map(|(_, _, text)| text).hash(&mut hasher);
    format!("/assets/{name}?v={:016x}", hasher.finish())
}

pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response, Failed> {
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let (_, kind, content) = found.ok_or(Failed::NotFound)?;
    let headers = [
        (CONTENT_TYPE, *kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, *content).into_response())
}
