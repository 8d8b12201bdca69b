// #[cached(
// timeout = ttl(), idle_timeout = "5m", stale_while_revalidate = "1m", refresh_ahead = 0.8,
// soft_timeout = "200ms", hard_timeout = "2s", jitter = "10%", cache_none, cache_err = "5s",
// cache = SESSIONS, local, companion = user_entries
// )]
// fn user(id: u64) -> Result<Option<User>, DbError> { fetch(id) }

fn user(id: u64) -> Result<Option<User>, DbError> {
    __user::__entry(id, ::dewar::__private::READ).run_timed()
}
type user_entries = __user;
struct __user {}
#[allow(deprecated, clippy::all)]
impl __user {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .idle_timeout(300000000000)
            .stale_while_revalidate(60000000000)
            .soft_timeout(200000000)
            .hard_timeout(2000000000)
            .refresh_ahead(800u16)
            .jitter_per_mille(100u16)
            .cache_none()
            .cache_err_for(5000000000u64)
            .local()
            .site(concat!(module_path!(), "::user"))
            .cache(|| &SESSIONS);
        &SITE
    }
    fn __entry(
        id: u64,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::BlockingEntry<
        Result<Option<User>, DbError>,
        impl FnOnce() -> Result<Option<User>, DbError>,
    > {
        ::dewar::__private::at(
                mode,
                __user::__site(),
                &__user::__body,
                (::dewar::__private::arg(&id).part(), ()),
                ::dewar::__private::out::<Result<Option<User>, DbError>>().whole(),
                |plan| {
                    plan.timeout(ttl()).hard();
                },
            )
            .blocking(move || __user::__body(id))
    }
}
impl __user {
    fn __body(id: u64) -> Result<Option<User>, DbError> {
        fetch(id)
    }
}
