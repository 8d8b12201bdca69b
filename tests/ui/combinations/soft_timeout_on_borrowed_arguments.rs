use dewar::cached;

#[cached(soft_timeout = "200ms", stale_if_error = "1h")]
async fn length(name: &str) -> Result<usize, dewar::TimedOut> {
    Ok(name.len())
}

fn main() {
    let _ = length("a");
}
