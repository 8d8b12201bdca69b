use dewar::cached;

struct Counter(u64);

impl Counter {
    #[cached]
    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

fn main() {
    let _ = Counter(0).next();
}
