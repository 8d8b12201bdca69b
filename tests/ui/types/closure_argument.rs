use dewar::cached;

#[cached(timeout = 60)]
fn apply(f: fn(&str) -> u64, id: u64, by: Box<dyn Fn(u64) -> u64>) -> u64 {
    by(f("a") + id)
}

fn main() {
    let _ = apply(|_| 1, 1, Box::new(|id| id));
}
