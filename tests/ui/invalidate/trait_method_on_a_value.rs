use dewar::{cached, invalidate};

trait Double {
    fn double(&self, id: u64) -> u64;
}

struct Repo;

impl Double for Repo {
    #[cached(timeout = 60, skip(self))]
    fn double(&self, id: u64) -> u64 {
        id * 2
    }
}

fn main() {
    let _ = invalidate!(Repo.double(1));
    let _ = Repo.double(1);
}
