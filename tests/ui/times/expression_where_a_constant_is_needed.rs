use dewar::cached;

fn window() -> std::time::Duration {
    std::time::Duration::from_secs(5)
}

#[cached(stale_while_revalidate = window())]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
