use dewar::cached;

#[cached(batch = ids)]
fn names(ids: &[u64]) -> Vec<String> {
    ids.iter().map(u64::to_string).collect()
}

fn main() {
    let _ = names(&[1]);
}
