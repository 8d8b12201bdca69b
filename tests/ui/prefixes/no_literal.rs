use dewar::cached;

const PREFIX: &str = "double";

#[cached(key_prefix = PREFIX)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
