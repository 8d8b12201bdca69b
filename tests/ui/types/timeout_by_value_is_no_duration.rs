use dewar::cached;

#[cached(timeout = |value: &u64| *value)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
