use dewar::cached;

#[cached(timeout = 60)]
struct User {
    id: u64,
}

fn main() {
    let _ = User { id: 1 }.id;
}
