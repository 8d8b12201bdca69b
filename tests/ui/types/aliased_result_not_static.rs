use dewar::cached;

struct Words<'a>(&'a str);

type Word<'a> = Option<&'a str>;

impl<'a> Words<'a> {
    #[cached(timeout = 60, key = self.0)]
    fn first(&self) -> Word<'a> {
        self.0.split(' ').next()
    }
}

fn main() {
    let _ = Words("a b").first();
}
