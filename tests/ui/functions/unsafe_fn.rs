use dewar::cached;

#[cached]
unsafe fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = unsafe { double(1) };
}
