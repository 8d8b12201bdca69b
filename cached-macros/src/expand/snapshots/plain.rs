// #[cached] fn f(id: u64) -> u64 { id }

fn f(id: u64) -> u64 {
    __f::__entry(id, ::dewar::__private::READ).run()
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
        id: u64,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::BlockingEntry<u64, impl FnOnce() -> u64> {
        ::dewar::__private::at(
                mode,
                __f::__site(),
                &__f::__body,
                (::dewar::__private::arg(&id).part(), ()),
                ::dewar::__private::out::<u64>().kind(),
                |_| {},
            )
            .blocking(move || __f::__body(id))
    }
}
impl __f {
    fn __body(id: u64) -> u64 {
        id
    }
}
