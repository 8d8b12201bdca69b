// invalidate!(user(id), tag = "users", prefix = "user:{id}")

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .call(
            ::dewar::__private::Called::new(user::__entry)
                .by_arguments()(id, ::dewar::__private::KEY)
                .place(),
        )
        .tag(::dewar::__private::Label::fixed("users"))
        .prefix(::dewar::__private::Label::new().text("user:").value(&id))
        .run();
}
