use std::collections::HashMap;

use dewar::cached;

#[derive(Clone)]
struct Handle(u64);

#[cached(timeout = 60, batch = ids, shared)]
fn handles(ids: &[u64]) -> HashMap<u64, Handle> {
    ids.iter().map(|id| (*id, Handle(*id))).collect()
}

fn main() {
    let _ = handles(&[1]).remove(&1).map(|handle| handle.0);
}
