use std::cell::Cell;

use dewar::cached;

#[cached(timeout = 60)]
fn cell(id: u64) -> Cell<u64> {
    Cell::new(id)
}

fn main() {
    let _ = cell(1).get();
}
