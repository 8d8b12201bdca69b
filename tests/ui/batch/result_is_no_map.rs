use dewar::cached;

#[derive(Clone)]
struct Names(Vec<String>);

#[cached(batch = ids)]
fn names(ids: &[u64]) -> Names {
    Names(ids.iter().map(u64::to_string).collect())
}

fn main() {
    let _ = names(&[1]).0;
}
