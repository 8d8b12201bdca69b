use dewar::cached;

struct User(u64);

#[cached(timeout = 60)]
fn user(id: u64) -> Option<User> {
    Some(User(id))
}

fn main() {
    let _ = user(1).map(|user| user.0);
}
