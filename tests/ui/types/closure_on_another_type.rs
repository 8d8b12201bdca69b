use dewar::cached;

#[cached(timeout = 60, cache_if = |value: &String| !value.is_empty())]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
