use dewar::cached;

#[cached(hard_timeout = "2s")]
fn length(name: &str) -> Result<usize, dewar::TimedOut> {
    Ok(name.len())
}

fn main() {
    let _ = length("a");
}
