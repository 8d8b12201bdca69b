// #[cached(skip(db))] fn f(db: &Db, id: u64) -> u64 { db.get(id) }

fn f(db: &Db, id: u64) -> u64 {
    __f::__entry(db, id, ::dewar::__private::READ).run()
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
    fn __needs_skip(_: impl Sized, id: u64) -> ::dewar::__private::At<u64> {
        ::dewar::__private::at(
            ::dewar::__private::KEY,
            __f::__site(),
            &__f::__body,
            (::dewar::__private::arg(&id).part(), ()),
            ::dewar::__private::out::<u64>().kind(),
            |_| {},
        )
    }
    fn __entry(
        db: &Db,
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
            .blocking(move || __f::__body(db, id))
    }
}
impl __f {
    fn __body(db: &Db, id: u64) -> u64 {
        db.get(id)
    }
}
