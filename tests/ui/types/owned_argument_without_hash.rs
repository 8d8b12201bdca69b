use std::sync::Arc;

use dewar::cached;

struct Pool;

#[cached(timeout = 60, key_prefix = "double:{id}", tags("doubles"))]
async fn double(id: u64, pool: Arc<Pool>) -> Result<u64, String> {
    let _ = pool;
    Ok(id * 2)
}

fn main() {
    let _ = double(1, Arc::new(Pool));
}
