use dewar::{cached, invalidate};

struct Repo;

impl Repo {
    #[cached(timeout = 60, skip(self))]
    fn double(&self, id: u64) -> u64 {
        id * 2
    }

    fn triple(&self, id: u64) -> u64 {
        id * 3
    }
}

fn main() {
    let _ = invalidate!(Repo.double);
    let _ = Repo.double(Repo.triple(1));
}
