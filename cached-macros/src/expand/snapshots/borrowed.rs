// #[cached(key = (view.id, name))] async fn f(view: View<'_>, name: &str) -> u64 { view.id }

async fn f(view: View<'_>, name: &str) -> u64 {
    f::__entry(view, name, ::dewar::__private::READ).run().await
}
#[allow(warnings)]
struct f {}
#[allow(warnings, clippy::all)]
impl f {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::Site::new(
            concat!(module_path!(), "::f"),
            ::dewar::__private::Policy::DEFAULT,
        );
        &SITE
    }
    fn __entry(
        view: View<'_>,
        name: &str,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::Entry<u64, impl ::core::future::Future<Output = u64>> {
        ::dewar::__private::Entry::new(
            ::dewar::__private::at(
                mode,
                f::__site(),
                &f,
                (
                    ::dewar::__private::Arg::new(&(view.id)).part(),
                    (::dewar::__private::Arg::new(&(name)).part(), ()),
                ),
                ::dewar::__private::Out::<u64>::new().kind(),
                |_| {},
            ),
            f::__body(view, name),
        )
    }
}
impl f {
    #[allow(dead_code)]
    async fn __body(view: View<'_>, name: &str) -> u64 {
        view.id
    }
}
