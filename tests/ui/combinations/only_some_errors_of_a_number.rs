use dewar::cached;

#[cached(stale_if_error("1h", only = |_| true))]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
