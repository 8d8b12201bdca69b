use dewar::cached;

#[cached(soft_timeout = "200ms")]
async fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
