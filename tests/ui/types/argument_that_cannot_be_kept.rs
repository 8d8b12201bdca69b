use dewar::cached;

#[derive(PartialEq, Eq, Hash)]
struct Handle(u64);

#[cached(timeout = 60)]
fn double(handle: &Handle) -> u64 {
    handle.0 * 2
}

fn main() {
    double(&Handle(1));
}
