//! Rules of the query that are none.

use dewar::cached;

#[cached(view, query(sort, ignore("*_id"), ignores("utm_*")))]
async fn page() -> &'static str {
    "page"
}

fn main() {
    let _ = page();
}
