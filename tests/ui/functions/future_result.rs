use dewar::cached;

#[cached]
fn double(id: u64) -> impl Future<Output = u64> {
    async move { id * 2 }
}

fn main() {
    let _ = double(1);
}
