use dewar::cached;

#[derive(Clone)]
struct Handle(u64);

#[cached(timeout = 60, shared)]
fn handle(id: u64) -> Result<Handle, String> {
    Ok(Handle(id))
}

#[cached(timeout = 60, shared)]
fn plain(id: u64) -> Result<Option<u64>, std::rc::Rc<str>> {
    Ok(Some(id))
}

fn main() {
    let _ = handle(1).map(|handle| handle.0);
    let _ = plain(1);
}
