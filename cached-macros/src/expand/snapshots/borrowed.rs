// #[cached(key = (view.id, name))] async fn f(view: View<'_>, name: &str) -> u64 { view.id }

async fn f(view: View<'_>, name: &str) -> u64 {
    match __f::__entry(view, name, ::dewar::__private::READ).hit() {
        ::core::result::Result::Ok(value) => value,
        ::core::result::Result::Err(entry) => entry.run().await,
    }
}
type f = __f;
struct __f {}
#[allow(deprecated, clippy::all)]
impl __f {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .site(concat!(module_path!(), "::f"));
        &SITE
    }
    fn __entry(
        view: View<'_>,
        name: &str,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::Entry<u64, impl ::core::future::Future<Output = u64>> {
        ::dewar::__private::at(
                mode,
                __f::__site(),
                &__f::__body,
                (
                    ::dewar::__private::arg(&(view.id)).part(),
                    (::dewar::__private::arg(name).part(), ()),
                ),
                ::dewar::__private::out::<u64>().kind(),
                |_| {},
            )
            .entry(__f::__body(view, name))
    }
}
impl __f {
    async fn __body(view: View<'_>, #[allow(unused_variables)] name: &str) -> u64 {
        view.id
    }
}
