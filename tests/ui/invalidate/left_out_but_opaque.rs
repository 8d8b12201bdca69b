use dewar::{cached, invalidate};

#[cached(timeout = 60, skip(by))]
fn double(id: u64, by: impl Fn(u64) -> u64) -> u64 {
    by(id) * 2
}

fn main() {
    let _ = invalidate!(double(1, _));
    let _ = double(1, |id| id);
}
