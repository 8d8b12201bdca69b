use dewar::cached;

type Answer = u64;

#[cached(timeout = 60, hard_timeout = "2s")]
async fn double(id: u64) -> Answer {
    id * 2
}

fn main() {
    let _ = double(1);
}
