use dewar::cached;

#[derive(Clone, PartialEq, Eq, Hash)]
struct User {
    id: u64,
}

#[cached(timeout = 60, key_prefix = "double:{user.name}")]
fn double(user: User) -> u64 {
    user.id * 2
}

fn main() {
    let _ = double(User { id: 1 });
}
