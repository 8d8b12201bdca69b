use dewar::cached;

struct Users;

#[cached(timeout = 60)]
impl Users {
    fn name(&self, id: u64) -> String {
        format!("user {id}")
    }
}

fn main() {
    let _ = Users.name(1);
}
