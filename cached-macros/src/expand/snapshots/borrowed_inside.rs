// #[cached] fn f(users: &[&User], pair: (u64, Option<View<'_>>), by: HashMap<Id, Vec<u8>>, all: &[User]) -> u64 { 1 }

fn f(
    users: &[&User],
    pair: (u64, Option<View<'_>>),
    by: HashMap<Id, Vec<u8>>,
    all: &[User],
) -> u64 {
    __f::__entry(users, pair, by, all, ::dewar::__private::READ).run()
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
        users: &[&User],
        pair: (u64, Option<View<'_>>),
        by: HashMap<Id, Vec<u8>>,
        all: &[User],
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::BlockingEntry<u64, impl FnOnce() -> u64> {
        ::dewar::__private::at(
                mode,
                __f::__site(),
                &__f::__body,
                (
                    ::dewar::__private::inside(users)
                        .each(|one| ::dewar::__private::arg(*one).part()),
                    (
                        (
                            ::dewar::__private::arg(&pair.0).part(),
                            (
                                ::dewar::__private::inside(&pair.1)
                                    .each(|one| ::dewar::__private::borrowed(one).part()),
                                (),
                            ),
                        ),
                        (
                            ::dewar::__private::inside(&by)
                                .pairs(
                                    |key| ::dewar::__private::arg(key).part(),
                                    |value| ::dewar::__private::arg(value).part(),
                                ),
                            (::dewar::__private::arg(all).part(), ()),
                        ),
                    ),
                ),
                ::dewar::__private::out::<u64>().kind(),
                |_| {},
            )
            .blocking(move || __f::__body(users, pair, by, all))
    }
}
impl __f {
    fn __body(
        users: &[&User],
        pair: (u64, Option<View<'_>>),
        by: HashMap<Id, Vec<u8>>,
        all: &[User],
    ) -> u64 {
        1
    }
}
