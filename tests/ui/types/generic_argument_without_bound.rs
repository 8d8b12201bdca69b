use dewar::cached;

#[cached(timeout = 60)]
fn size<T>(value: T) -> usize {
    size_of_val(&value)
}

fn main() {
    let _ = size(1);
}
