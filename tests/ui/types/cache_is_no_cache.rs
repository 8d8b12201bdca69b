use dewar::cached;

static SESSIONS: u64 = 1;

#[cached(timeout = 60, cache = SESSIONS)]
fn double(id: u64) -> u64 {
    id * 2 + SESSIONS
}

fn main() {
    let _ = double(1);
}
