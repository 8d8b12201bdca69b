use dewar::cached;

#[cached(hard_timeout = "2s")]
async fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
