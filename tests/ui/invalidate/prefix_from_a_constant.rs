use dewar::{cached, invalidate};

#[cached(timeout = 60)]
fn double(id: u64) -> u64 {
    id * 2
}

const PREFIX: &str = "double";

fn main() {
    let _ = invalidate!(prefix = PREFIX);
    let _ = double(1);
}
