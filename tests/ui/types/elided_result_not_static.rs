use dewar::cached;

#[derive(Clone)]
struct Words<'a>(Vec<&'a str>);

#[cached(timeout = 60)]
fn words(text: &str) -> Words {
    Words(text.split(' ').collect())
}

fn main() {
    let _ = words("a b").0.len();
}
