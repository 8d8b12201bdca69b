use dewar::cached;

#[cached]
fn drain(items: &mut Vec<u64>) -> u64 {
    items.drain(..).sum()
}

fn main() {
    let _ = drain(&mut vec![1]);
}
