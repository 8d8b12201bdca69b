use dewar::cached;

#[cached]
fn first<'a>(words: &'a str) -> Option<std::borrow::Cow<'a, str>> {
    words.split(' ').next().map(Into::into)
}

fn main() {
    let _ = first("a b");
}
