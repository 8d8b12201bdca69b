use dewar::{cached, invalidate};

#[cached(timeout = 60)]
fn double(id: u64) -> u64 {
    id * 2
}

fn triple(id: u64) -> u64 {
    id * 3
}

fn main() {
    let _ = invalidate!(triple(1));
    let _ = double(triple(1));
}
