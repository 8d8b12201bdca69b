use dewar::cached;

#[cached(cache_err = "0s")]
fn double(id: u64) -> Result<u64, String> {
    Ok(id * 2)
}

fn main() {
    let _ = double(1);
}
