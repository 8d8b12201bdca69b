use dewar::cached;

#[cached(cache = || SESSIONS)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
