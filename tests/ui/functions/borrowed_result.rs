use dewar::cached;

#[cached]
fn first(words: &str) -> &str {
    words.split(' ').next().unwrap_or_default()
}

fn main() {
    let _ = first("a b");
}
