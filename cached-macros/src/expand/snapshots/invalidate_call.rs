// invalidate!(user(42))

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .call(user::__entry(42, ::dewar::__private::KEY).place())
        .run();
}
