use dewar::cached;

#[cached(timeout = never, stale_while_revalidate = "1m")]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
