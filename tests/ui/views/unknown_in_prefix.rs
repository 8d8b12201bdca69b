//! A name that no pattern binds.

use axum::extract::Path;
use dewar::cached;

#[cached(view, key_prefix = "product:{product_id}")]
async fn page(Path(id): Path<u64>) -> String {
    id.to_string()
}

fn main() {
    let _ = page(Path(1));
}
