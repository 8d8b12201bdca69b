use dewar::cached;

#[cached(timeout = 60)]
fn length(words: impl Iterator<Item = u8>) -> usize {
    words.count()
}

fn main() {
    let _ = length([1].into_iter());
}
