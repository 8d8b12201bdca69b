use dewar::cached;

#[derive(PartialEq, Eq, Hash)]
struct Request {
    id: u64,
}

#[cached(timeout = 60)]
fn answers(requests: &[(u64, &Request)]) -> u64 {
    requests[0].1.id
}

fn main() {
    let _ = answers(&[(1, &Request { id: 1 })]);
}
