// invalidate!(user(_, 42), repo.user(_, 42))

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .call(user::__needs_skip((), 42))
        .call((repo).__cached_needs_skip_user((), 42))
        .run();
}
