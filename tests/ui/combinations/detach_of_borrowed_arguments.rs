use dewar::cached;

#[cached(detach = true)]
async fn length(name: &str) -> usize {
    name.len()
}

fn main() {
    let _ = length("a");
}
