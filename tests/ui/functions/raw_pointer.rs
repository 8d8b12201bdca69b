use dewar::cached;

#[cached]
fn address(of: *const u8) -> usize {
    of as usize
}

fn main() {
    let _ = address(std::ptr::null());
}
