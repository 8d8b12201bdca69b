// #[cached(
// timeout = |v: &User| v.max_age(), stale_if = |v| v.id != id, cache_if = |v| v.is_whole(),
// tags("users", |v| v.groups.clone()), unless = id == 0, refresh_if = force, key = id,
// stale_if_error("1h", retry = "5s", only = |e| e.is_timeout()), version = 2
// )]
// async fn user(id: u64, force: bool) -> Result<User, DbError> { fetch(id).await }

async fn user(id: u64, force: bool) -> Result<User, DbError> {
    match __user::__entry(id, force, ::dewar::__private::READ).hit() {
        ::core::result::Result::Ok(value) => value,
        ::core::result::Result::Err(entry) => entry.run_as(|b| b.send()).await,
    }
}
type user = __user;
struct __user {}
#[allow(deprecated, clippy::all)]
impl __user {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .stale_if_error(3600000000000u64)
            .retry(5000000000u64)
            .site(concat!(module_path!(), "::user"));
        &SITE
    }
    fn __entry(
        id: u64,
        force: bool,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::Entry<
        Result<User, DbError>,
        impl ::core::future::Future<Output = Result<User, DbError>>,
    > {
        ::dewar::__private::at_unless_stale(
                mode.unless(|| id == 0).refresh_if(|| force),
                __user::__site(),
                &__user::__body,
                (
                    ::dewar::__private::arg(&(2)).part(),
                    (::dewar::__private::arg(&id).part(), ()),
                ),
                ::dewar::__private::out::<Result<User, DbError>>().kind(),
                |v| v.id != id,
                |plan| {
                    plan.tag(::dewar::__private::Label::fixed("users"))
                        .timeout_by(|v: &User| v.max_age())
                        .cache_if(|v| v.is_whole())
                        .stale_if({
                            #[allow(unused_variables)]
                            let id = ::core::clone::Clone::clone(&id);
                            move |v| v.id != id
                        })
                        .tags_by(|v| v.groups.clone())
                        .only(|e| e.is_timeout());
                },
            )
            .entry(__user::__body(id, force))
    }
}
impl __user {
    async fn __body(
        id: u64,
        #[allow(unused_variables)]
        force: bool,
    ) -> Result<User, DbError> {
        fetch(id).await
    }
}
