use dewar::cached;

#[derive(Clone)]
struct NotFound;

#[cached(timeout = 60, hard_timeout = "2s")]
async fn double(id: u64) -> Result<u64, NotFound> {
    if id == 0 { Err(NotFound) } else { Ok(id * 2) }
}

async fn caller() -> Result<u64, NotFound> {
    double(1).await
}

fn main() {
    let _ = caller();
}
