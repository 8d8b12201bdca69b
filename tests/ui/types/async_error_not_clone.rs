use dewar::cached;

#[derive(Debug)]
struct NotFound;

#[cached(timeout = 60, cache_err = "5s")]
async fn double(id: u64) -> Result<u64, NotFound> {
    if id == 0 { Err(NotFound) } else { Ok(id * 2) }
}

async fn caller() -> u64 {
    double(1).await.unwrap()
}

fn main() {
    let _ = caller();
}
