//! Options of views on a function that is none.

use dewar::cached;

#[cached(timeout = 60, vary("accept-language"), statuses(200))]
fn double(n: u64) -> u64 {
    n * 2
}

fn main() {
    double(1);
}
