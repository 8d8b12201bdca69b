use dewar::cached;

#[derive(Clone)]
struct Names(Vec<String>);

#[cached(batch = ids)]
async fn names(ids: &[u64]) -> Result<Names, String> {
    Ok(Names(ids.iter().map(u64::to_string).collect()))
}

fn main() {
    let _ = names(&[1]);
}
