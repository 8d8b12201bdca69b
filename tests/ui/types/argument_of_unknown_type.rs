use dewar::cached;

#[cached(timeout = 60)]
async fn double(id: Id) -> u64 {
    1
}

fn main() {}
