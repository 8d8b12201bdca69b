#![deny(dead_code)]

use dewar::cached;

#[cached(timeout = 60)]
async fn double(id: u64) -> u64 {
    id * 2
}

struct Repo;

impl Repo {
    #[cached(timeout = 60, skip(self))]
    fn triple(&self, id: u64) -> u64 {
        id * 3
    }
}

fn main() {
    let _ = Repo.triple(1);
}
