use dewar::cached;

struct User(u64);

#[cached(timeout = 60)]
fn user(id: u64) -> User {
    User(id)
}

fn main() {
    let _ = user(1).0;
}
