//! What changes things is not cached.

use dewar::cached;

#[cached(view, methods("GET", "POST"))]
async fn page() -> &'static str {
    "page"
}

fn main() {
    let _ = page();
}
