use dewar::cached;

mod product {}

#[cached]
fn product(id: u64) -> u64 {
    id
}

fn main() {
    product(1);
}
