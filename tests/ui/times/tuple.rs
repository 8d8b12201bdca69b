use dewar::cached;

#[cached(timeout = (1, 2))]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
