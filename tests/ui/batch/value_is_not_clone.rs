use std::collections::HashMap;

use dewar::cached;

struct Name(String);

#[cached(batch = ids)]
fn names(ids: &[u64]) -> HashMap<u64, Name> {
    ids.iter().map(|id| (*id, Name(id.to_string()))).collect()
}

fn main() {
    let _ = names(&[1]).remove(&1).map(|name| name.0);
}
