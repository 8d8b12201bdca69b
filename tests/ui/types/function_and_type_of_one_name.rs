use dewar::cached;

#[allow(non_camel_case_types, dead_code)]
struct double {}

#[cached(timeout = 60)]
fn double(id: u64) -> u64 {
    id * 2
}

fn main() {
    let _ = double(1);
}
