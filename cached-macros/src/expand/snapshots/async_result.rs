// #[cached(timeout = 60)] async fn f(id: u64, name: String) -> Result<String, E> {}

async fn f(id: u64, name: String) -> Result<String, E> {
    match __f::__entry(id, name, ::dewar::__private::READ).hit() {
        ::core::result::Result::Ok(value) => value,
        ::core::result::Result::Err(entry) => entry.run_as(|b| b.send()).await,
    }
}
type f = __f;
struct __f {}
#[allow(deprecated, clippy::all)]
impl __f {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .timeout(60000000000)
            .site(concat!(module_path!(), "::f"));
        &SITE
    }
    fn __entry(
        id: u64,
        name: String,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::Entry<
        Result<String, E>,
        impl ::core::future::Future<Output = Result<String, E>>,
    > {
        ::dewar::__private::at(
                mode,
                __f::__site(),
                &__f::__body,
                (
                    ::dewar::__private::arg(&id).part(),
                    (::dewar::__private::arg(&name).part(), ()),
                ),
                ::dewar::__private::out::<Result<String, E>>().kind(),
                |_| {},
            )
            .entry(__f::__body(id, name))
    }
}
impl __f {
    async fn __body(id: u64, name: String) -> Result<String, E> {}
}
