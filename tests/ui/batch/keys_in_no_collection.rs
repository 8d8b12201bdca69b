use std::collections::HashMap;

use dewar::cached;

#[cached(batch = ids)]
fn names(ids: u64) -> HashMap<u64, String> {
    HashMap::from([(ids, ids.to_string())])
}

fn main() {
    let _ = names(1);
}
