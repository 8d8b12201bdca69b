use dewar::cached;

type Answer = u64;

#[cached(timeout = 60, cache_err = "5s")]
fn double(id: u64) -> Answer {
    id * 2
}

fn main() {
    let _ = double(1) + 1;
}
