// invalidate!(soft, tag = "org:{user.org}")

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .soft()
        .tag(::dewar::__private::Label::new().text("org:").value(&user.org))
        .run();
}
