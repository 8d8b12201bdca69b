use dewar::cached;

#[cached(timeout = never, refresh_ahead = 0.8)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
