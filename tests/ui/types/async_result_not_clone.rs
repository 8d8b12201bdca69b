use dewar::cached;

struct User(u64);

#[cached(timeout = 60)]
async fn user(id: u64) -> User {
    User(id)
}

async fn caller() -> u64 {
    user(1).await.0
}

fn main() {
    let _ = caller();
}
