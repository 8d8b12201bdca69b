use dewar::{cached, invalidate};

#[cached(timeout = 60)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = invalidate!(double(1, 2));
    let _ = double(1);
}
