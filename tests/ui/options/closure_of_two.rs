use dewar::cached;

#[cached(stale_if = |id, value| id == value)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
