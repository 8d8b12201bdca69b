// invalidate!(Repo::user(&repo, 42), Repo::user)

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .call(Repo::__cached_entry_user(&repo, 42, ::dewar::__private::KEY).place())
        .function(Repo::__cached_site_user())
        .run();
}
