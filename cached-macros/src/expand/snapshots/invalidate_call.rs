// invalidate!(user(42))

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .call(
            ::dewar::__private::Called::new(user::__entry)
                .by_arguments()(42, ::dewar::__private::KEY)
                .place(),
        )
        .run();
}
