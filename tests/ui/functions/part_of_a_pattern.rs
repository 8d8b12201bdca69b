use dewar::cached;

#[cached(skip(height))]
fn area((width, height): (u64, u64)) -> u64 {
    width * height
}

fn main() {
    let _ = area((2, 3));
}
