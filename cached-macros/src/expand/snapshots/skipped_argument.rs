// #[cached(skip(db))] fn f(db: &Db, id: u64) -> u64 { db.get(id) }

fn f(db: &Db, id: u64) -> u64 {
    f::__entry(db, id, ::dewar::__private::READ).run()
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
    fn __needs_skip(db: impl Sized, id: u64) -> ::dewar::__private::At<u64> {
        ::dewar::__private::at(
            ::dewar::__private::KEY,
            f::__site(),
            &f,
            (::dewar::__private::Arg::new(&id).part(), ()),
            ::dewar::__private::Out::<u64>::new().kind(),
            |_| {},
        )
    }
    fn __entry(
        db: &Db,
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
            move || f::__body(db, id),
        )
    }
}
impl f {
    #[allow(dead_code)]
    fn __body(db: &Db, id: u64) -> u64 {
        db.get(id)
    }
}
