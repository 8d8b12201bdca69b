use dewar::cached;

#[derive(PartialEq, Eq, Hash)]
struct Request {
    id: u64,
}

#[cached(timeout = 60)]
fn answer(request: &Request) -> u64 {
    request.id
}

fn main() {
    let _ = answer(&Request { id: 1 });
}
