// invalidate!(Repo::user(&repo, 42), Repo::user)

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .call(
            ::dewar::__private::Called::new(Repo::__cached_entry_user)
                .by_arguments()(&repo, 42, ::dewar::__private::KEY)
                .place(),
        )
        .function(Repo::__cached_site_user())
        .run();
}
