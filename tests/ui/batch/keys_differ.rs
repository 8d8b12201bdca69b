use std::collections::HashMap;

use dewar::cached;

#[cached(batch = ids)]
fn names(ids: &[u64]) -> HashMap<String, u64> {
    ids.iter().map(|id| (id.to_string(), *id)).collect()
}

fn main() {
    let _ = names(&[1]);
}
