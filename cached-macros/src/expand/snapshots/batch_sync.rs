// #[cached(batch = ids)] fn names(ids: Vec<u64>) -> HashMap<u64, String> { fetch(ids) }

fn names(ids: Vec<u64>) -> HashMap<u64, String> {
    __names::__entry(ids, ::dewar::__private::READ).run()
}
type names = __names;
struct __names {}
#[allow(deprecated, clippy::all)]
impl __names {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .site(concat!(module_path!(), "::names"));
        &SITE
    }
    fn __entry(
        ids: Vec<u64>,
        mode: ::dewar::__private::Mode,
    ) -> <HashMap<
        u64,
        String,
    > as ::dewar::__private::Answers>::BlockingHandle<
        HashMap<u64, String>,
        impl Fn(
            ::std::vec::Vec<<HashMap<u64, String> as ::dewar::__private::Answers>::Key>,
        ) -> HashMap<u64, String>,
    > {
        <HashMap<
            u64,
            String,
        > as ::dewar::__private::Answers>::look(
                &ids,
                |ids| ::dewar::__private::at(
                    mode,
                    __names::__site(),
                    &__names::__body,
                    (::dewar::__private::arg(ids).part(), ()),
                    ::dewar::__private::out::<
                        <HashMap<u64, String> as ::dewar::__private::Answers>::Value,
                    >()
                        .kind(),
                    |_| {},
                ),
            )
            .blocking(
                ::dewar::__private::sharable::<HashMap<u64, String>>().sharing(),
                move |missing: ::std::vec::Vec<_>| {
                    __names::__body(missing.into_iter().collect())
                },
            )
    }
}
impl __names {
    fn __body(ids: Vec<u64>) -> HashMap<u64, String> {
        fetch(ids)
    }
}
