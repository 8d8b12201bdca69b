// invalidate!(prefix = "user:{id}")

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .prefix(::dewar::__private::Label::new().text("user:").value(&id))
        .run();
}
