//! Options that are about values.

use axum::extract::Path;
use dewar::cached;

#[cached(view, timeout = |r| r.age(), cache_if = |r| r.is_ok(), cache_err)]
async fn page(Path(id): Path<u64>) -> Result<String, String> {
    Ok(id.to_string())
}

fn main() {
    let _ = page(Path(1));
}
