use dewar::cached;

fn is_even(value: &u64) -> bool {
    value % 2 == 0
}

#[cached(cache_if = is_even)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
