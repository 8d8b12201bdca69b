use dewar::cached;

#[cached(timeout = 60)]
fn same<T: Clone + Send + Sync + std::hash::Hash + Eq>(value: T) -> T {
    value.clone()
}

fn main() {
    let _ = same(1);
}
