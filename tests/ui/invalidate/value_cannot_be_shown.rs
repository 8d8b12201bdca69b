use dewar::{cached, invalidate};

#[cached(timeout = 60)]
fn double(id: u64) -> u64 {
    id * 2
}

struct Opaque;

fn main() {
    let id = Opaque;
    let _ = invalidate!(prefix = "double:{id}");
    let _ = double(1);
}
