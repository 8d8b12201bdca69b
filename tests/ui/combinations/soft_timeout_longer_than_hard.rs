use dewar::cached;

#[cached(soft_timeout = "2s", hard_timeout = "1s", stale_if_error = "1h")]
async fn double(id: u64) -> Result<u64, dewar::TimedOut> {
    Ok(id * 2)
}

fn main() {
    let _ = double(1);
}
