// invalidate!(users::user)

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .function(users::user::__site())
        .run();
}
