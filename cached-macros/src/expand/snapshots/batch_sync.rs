// #[cached(batch = ids)] fn names(ids: Vec<u64>) -> HashMap<u64, String> { fetch(ids) }

fn names(ids: Vec<u64>) -> HashMap<u64, String> {
    <<HashMap<
        u64,
        String,
    > as ::dewar::__private::Answers>::Batch>::look(
            &ids,
            |ids| ::dewar::__private::at(
                ::dewar::__private::READ,
                names::__site(),
                &names,
                (::dewar::__private::Arg::new(&*ids).part(), ()),
                ::dewar::__private::Out::<
                    <HashMap<u64, String> as ::dewar::__private::Answers>::Value,
                >::new()
                    .kind(),
                |_| {},
            ),
        )
        .call(|missing: ::std::vec::Vec<_>| {
            names::__body(missing.into_iter().collect())
        })
}
#[allow(warnings)]
struct names {}
#[allow(warnings, clippy::all)]
impl names {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::Site::new(
            concat!(module_path!(), "::names"),
            ::dewar::__private::Policy::DEFAULT,
        );
        &SITE
    }
    fn __entry(
        ids: Vec<u64>,
        _: ::dewar::__private::Mode,
    ) -> <HashMap<u64, String> as ::dewar::__private::Answers>::Entry {
        <<HashMap<
            u64,
            String,
        > as ::dewar::__private::Answers>::Entry>::new(
            <<HashMap<
                u64,
                String,
            > as ::dewar::__private::Answers>::Batch>::look(
                &ids,
                |ids| ::dewar::__private::at(
                    ::dewar::__private::KEY,
                    names::__site(),
                    &names,
                    (::dewar::__private::Arg::new(&*ids).part(), ()),
                    ::dewar::__private::Out::<
                        <HashMap<u64, String> as ::dewar::__private::Answers>::Value,
                    >::new()
                        .kind(),
                    |_| {},
                ),
            ),
        )
    }
}
impl names {
    #[allow(dead_code)]
    fn __body(ids: Vec<u64>) -> HashMap<u64, String> {
        fetch(ids)
    }
}
