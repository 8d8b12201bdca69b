// #[cached] fn f(id: u64) -> u64 { id }

fn f(id: u64) -> u64 {
    f::__entry(id, ::dewar::__private::READ).run()
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
        id: u64,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::BlockingEntry<u64, impl FnOnce() -> u64> {
        ::dewar::__private::BlockingEntry::new(
            ::dewar::__private::at(
                mode,
                f::__site(),
                &f,
                (::dewar::__private::Arg::new(&id).part(), ()),
                ::dewar::__private::Out::<u64>::new().kind(),
                |_| {},
            ),
            move || f::__body(id),
        )
    }
}
impl f {
    #[allow(dead_code)]
    fn __body(id: u64) -> u64 {
        id
    }
}
