use dewar::cached;
use std::time;

#[cached]
async fn time(id: u64) -> u64 {
    id
}

fn main() {
    let _ = time(1);
    let _ = time::Duration::MAX;
}
