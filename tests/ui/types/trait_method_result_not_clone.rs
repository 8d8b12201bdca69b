use dewar::cached;

struct User(u64);

trait Users {
    fn user(&self, id: u64) -> User;
}

struct Repo;

impl Users for Repo {
    #[cached(timeout = 60, skip(self))]
    fn user(&self, id: u64) -> User {
        User(id)
    }
}

fn main() {
    let _ = Repo.user(1).0;
}
