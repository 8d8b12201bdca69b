use std::collections::HashMap;

use dewar::cached;

#[cached(batch = ids, skip(ids))]
fn names(ids: &[u64]) -> HashMap<u64, String> {
    ids.iter().map(|id| (*id, id.to_string())).collect()
}

fn main() {
    let _ = names(&[1]);
}
