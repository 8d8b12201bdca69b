use dewar::cached;

#[cached]
fn count(to: u64) -> impl Iterator<Item = u64> {
    0..to
}

fn main() {
    let _ = count(3).sum::<u64>();
}
