use dewar::cached;

#[cached(unless = |id| id == 0)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
