// entry!(user(42))

fn main() {
    let _ = user::__entry(42, ::dewar::__private::KEY);
}
