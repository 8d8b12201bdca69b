use dewar::cached;

#[cached(single_flight = "yes")]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
