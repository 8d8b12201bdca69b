//! A cookie is no header like others.

use dewar::cached;

#[cached(view, vary("accept-language", "Cookie"), cookies = "keyed")]
async fn page() -> &'static str {
    "page"
}

fn main() {
    let _ = page();
}
