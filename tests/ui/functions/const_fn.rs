use dewar::cached;

#[cached]
const fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    const TWO: u64 = double(1);
    let _ = TWO;
}
