use std::rc::Rc;

use dewar::cached;

#[cached(timeout = 60)]
async fn name(id: u64) -> Rc<String> {
    Rc::new(id.to_string())
}

async fn caller() -> usize {
    name(1).await.len()
}

fn main() {
    let _ = caller();
}
