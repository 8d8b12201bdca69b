// invalidate!(repo.user(42))

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .call((repo).__cached_entry_user(42, ::dewar::__private::KEY).place())
        .run();
}
