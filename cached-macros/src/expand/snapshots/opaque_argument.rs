// #[cached(skip(by))] fn f(id: u64, by: impl Fn(u64) -> u64) -> u64 { by(id) }

fn f(id: u64, by: impl Fn(u64) -> u64) -> u64 {
    f::__entry(id, by, ::dewar::__private::READ).run()
}
struct f {}
#[allow(deprecated, clippy::all)]
impl f {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .site(concat!(module_path!(), "::f"));
        &SITE
    }
    fn __entry(
        id: u64,
        by: impl Fn(u64) -> u64,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::BlockingEntry<u64, impl FnOnce() -> u64> {
        ::dewar::__private::at(
                mode,
                f::__site(),
                &(f::__site, ::core::marker::PhantomData::<()>, &by),
                (::dewar::__private::arg(&id).part(), ()),
                ::dewar::__private::out::<u64>().kind(),
                |_| {},
            )
            .blocking(move || f::__body(id, by))
    }
}
impl f {
    fn __body(id: u64, by: impl Fn(u64) -> u64) -> u64 {
        by(id)
    }
}
