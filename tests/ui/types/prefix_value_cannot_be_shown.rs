use dewar::cached;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Id(u64);

#[cached(timeout = 60, key_prefix = "double:{id}")]
fn double(id: Id) -> u64 {
    id.0 * 2
}

fn main() {
    let _ = double(Id(1));
}
