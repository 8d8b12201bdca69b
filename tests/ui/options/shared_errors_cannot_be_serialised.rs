use dewar::cached;

#[cached(timeout = 60, cache_err = "5s", shared)]
fn plain(id: u64) -> Result<u64, std::fmt::Error> {
    Ok(id)
}

#[cached(timeout = 60, cache_err, shared)]
async fn optional(id: u64) -> Result<Option<u64>, String> {
    Ok(Some(id))
}

fn main() {
    let _ = plain(1);
    let _ = optional(1);
}
