use dewar::cached;

#[derive(Debug)]
struct NotFound;

#[cached(timeout = 60, cache_err = "5s")]
fn double(id: u64) -> Result<u64, NotFound> {
    if id == 0 { Err(NotFound) } else { Ok(id * 2) }
}

fn main() {
    let _ = double(1).unwrap();
}
