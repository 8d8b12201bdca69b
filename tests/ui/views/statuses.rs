//! A status that is only a part, and a slip.

use dewar::cached;

#[cached(view, statuses(200, 206), staus(404))]
async fn page() -> &'static str {
    "page"
}

fn main() {
    let _ = page();
}
