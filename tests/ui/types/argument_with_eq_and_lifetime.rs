use dewar::cached;

#[derive(Clone, PartialEq, Eq, Hash)]
struct View<'a> {
    name: &'a str,
}

#[cached(timeout = 60)]
fn length(view: View<'_>) -> usize {
    view.name.len()
}

fn main() {
    let _ = length(View { name: "a" });
}
