use dewar::cached;

struct Repo;

impl Repo {
    #[cached(timeout = 60)]
    fn double(&self, id: u64) -> u64 {
        id * 2
    }
}

fn main() {
    let _ = Repo.double(1);
}
