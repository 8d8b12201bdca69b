use dewar::cached;

trait Prices {
    #[cached(timeout = 60)]
    fn price(&self, id: u64) -> u64;
}

struct Fixed;

impl Prices for Fixed {
    fn price(&self, id: u64) -> u64 {
        id
    }
}

fn main() {
    let _ = Fixed.price(1);
}
