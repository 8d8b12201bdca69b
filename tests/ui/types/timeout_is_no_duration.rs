use dewar::cached;

const SECONDS: u64 = 60;

#[cached(timeout = SECONDS)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
