use std::rc::Rc;

use dewar::cached;

#[cached(timeout = 60)]
fn name(id: u64) -> Rc<String> {
    Rc::new(id.to_string())
}

fn main() {
    let _ = name(1).len();
}
