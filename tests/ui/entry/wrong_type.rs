use dewar::{cached, entry};

#[cached(timeout = 60)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = entry!(double("1")).get();
    let _ = double(1);
}
