// #[cached(timeout = 60)] async fn f(id: u64, name: String) -> Result<String, E> {}

async fn f(id: u64, name: String) -> Result<String, E> {
    f::__entry(id, name, ::dewar::__private::READ)
        .run_as(|b| ::dewar::__private::Auto::new(b).send())
        .await
}
#[allow(warnings)]
struct f {}
#[allow(warnings, clippy::all)]
impl f {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::Site::new(
            concat!(module_path!(), "::f"),
            ::dewar::__private::Policy::DEFAULT.timeout(60000000000u64),
        );
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
        ::dewar::__private::Entry::new(
            ::dewar::__private::at(
                mode,
                f::__site(),
                &f,
                (
                    ::dewar::__private::Arg::new(&id).part(),
                    (::dewar::__private::Arg::new(&name).part(), ()),
                ),
                ::dewar::__private::Out::<Result<String, E>>::new().kind(),
                |_| {},
            ),
            f::__body(id, name),
        )
    }
}
impl f {
    #[allow(dead_code)]
    async fn __body(id: u64, name: String) -> Result<String, E> {}
}
