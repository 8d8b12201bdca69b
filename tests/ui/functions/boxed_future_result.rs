use dewar::cached;

#[cached]
fn double(id: u64) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move { id * 2 })
}

fn main() {
    let _ = double(1);
}
