use dewar::{cached, invalidates};

#[cached(timeout = 60)]
fn double(id: u64) -> u64 {
    id * 2
}

#[invalidates(rename(id, name))]
fn rename(id: u64, name: &str) -> usize {
    name.len() + id as usize
}

fn main() {
    let _ = rename(double(1), "a");
}
