use dewar::cached;

struct Pool;

#[cached(timeout = 60)]
async fn double(pool: &Pool, id: u64) -> u64 {
    let _ = pool;
    id * 2
}

fn main() {
    let _ = double(&Pool, 1);
}
