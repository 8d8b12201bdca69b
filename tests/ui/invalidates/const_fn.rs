use dewar::{cached, invalidates};

#[cached(timeout = 60)]
fn double(id: u64) -> u64 {
    id * 2
}

#[invalidates(all)]
const fn rename(id: u64) -> u64 {
    id
}

fn main() {
    let _ = rename(double(1));
}
