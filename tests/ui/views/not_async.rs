//! A function that is no handler.

use axum::extract::Path;
use dewar::cached;

#[cached(view, timeout = 60)]
fn page(Path(id): Path<u64>) -> String {
    id.to_string()
}

fn main() {
    let _ = page(Path(1));
}
