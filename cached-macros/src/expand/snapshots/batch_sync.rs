// #[cached(batch = ids)] fn names(ids: Vec<u64>) -> HashMap<u64, String> { fetch(ids) }

fn names(ids: Vec<u64>) -> HashMap<u64, String> {
    <HashMap<
        u64,
        String,
    > as ::dewar::__private::Answers>::look(
            &ids,
            |ids| ::dewar::__private::at(
                ::dewar::__private::READ,
                __names::__site(),
                &names,
                (::dewar::__private::arg(ids).part(), ()),
                ::dewar::__private::out::<
                    <HashMap<u64, String> as ::dewar::__private::Answers>::Value,
                >()
                    .kind(),
                |_| {},
            ),
        )
        .call(|missing: ::std::vec::Vec<_>| {
            __names::__body(missing.into_iter().collect())
        })
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
    #[allow(unused_variables)]
    fn __entry(
        ids: Vec<u64>,
        _: ::dewar::__private::Mode,
    ) -> <HashMap<
        u64,
        String,
    > as ::dewar::__private::Answers>::Handle<HashMap<u64, String>> {
        <HashMap<
            u64,
            String,
        > as ::dewar::__private::Answers>::look(
                &ids,
                |ids| ::dewar::__private::at(
                    ::dewar::__private::KEY,
                    __names::__site(),
                    &names,
                    (::dewar::__private::arg(ids).part(), ()),
                    ::dewar::__private::out::<
                        <HashMap<u64, String> as ::dewar::__private::Answers>::Value,
                    >()
                        .kind(),
                    |_| {},
                ),
            )
            .entry()
    }
}
impl __names {
    fn __body(ids: Vec<u64>) -> HashMap<u64, String> {
        fetch(ids)
    }
}
