use dewar::cached;

#[cached(timeout = 60, stale_if = |value: &Result<u64, String>| value.is_ok())]
fn double(id: u64) -> Result<u64, String> {
    Ok(id * 2)
}

fn main() {
    let _ = double(1);
}
