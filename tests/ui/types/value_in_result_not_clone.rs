use dewar::cached;

struct User(u64);

#[cached(timeout = 60)]
async fn user(id: u64) -> Result<User, String> {
    Ok(User(id))
}

async fn caller() -> Result<u64, String> {
    Ok(user(1).await?.0)
}

fn main() {
    let _ = caller();
}
