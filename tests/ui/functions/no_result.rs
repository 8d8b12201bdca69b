use dewar::cached;

#[cached]
fn greet(name: &str) {
    println!("hello, {name}");
}

fn main() {
    greet("you");
}
