use dewar::cached;

struct User {
    id: u64,
    session: Session,
}

struct Session;

#[cached(timeout = 60, key = (user.id, user.session))]
fn double(user: &User) -> u64 {
    let _ = &user.session;
    user.id * 2
}

fn main() {
    let _ = double(&User {
        id: 1,
        session: Session,
    });
}
