use dewar::cached;

struct User(u64);

struct Repo;

impl Repo {
    #[cached(timeout = 60, skip(self))]
    async fn user(&self, id: u64) -> User {
        User(id)
    }
}

async fn caller() -> u64 {
    Repo.user(1).await.0
}

fn main() {
    let _ = caller();
}
