// #[cached(timeout = 60, key_prefix = "product", batch = ids, skip(db))]
// async fn products(db: &Pool, ids: &[u64]) -> Result<HashMap<u64, Product>, DbError> { db.fetch_all(ids).await }

async fn products(db: &Pool, ids: &[u64]) -> Result<HashMap<u64, Product>, DbError> {
    <<Result<
        HashMap<u64, Product>,
        DbError,
    > as ::dewar::__private::Answers>::Batch>::look(
            ids,
            |ids| ::dewar::__private::at(
                ::dewar::__private::READ,
                products::__site(),
                &products,
                (::dewar::__private::Arg::new(&*ids).part(), ()),
                ::dewar::__private::Out::<
                    <Result<
                        HashMap<u64, Product>,
                        DbError,
                    > as ::dewar::__private::Answers>::Value,
                >::new()
                    .kind(),
                |plan| {
                    plan.prefix(::dewar::__private::Label::new().text("product"));
                },
            ),
        )
        .run(|missing: ::std::vec::Vec<_>| {
            let db = ::core::clone::Clone::clone(&db);
            async move { products::__body(db, &missing).await }
        })
        .await
}
#[allow(warnings)]
struct products {}
#[allow(warnings, clippy::all)]
impl products {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::Site::new(
            concat!(module_path!(), "::products"),
            ::dewar::__private::Policy::DEFAULT.timeout(60000000000u64),
        );
        &SITE
    }
    fn __entry(
        db: &Pool,
        ids: &[u64],
        _: ::dewar::__private::Mode,
    ) -> <Result<HashMap<u64, Product>, DbError> as ::dewar::__private::Answers>::Entry {
        <<Result<
            HashMap<u64, Product>,
            DbError,
        > as ::dewar::__private::Answers>::Entry>::new(
            <<Result<
                HashMap<u64, Product>,
                DbError,
            > as ::dewar::__private::Answers>::Batch>::look(
                ids,
                |ids| ::dewar::__private::at(
                    ::dewar::__private::KEY,
                    products::__site(),
                    &products,
                    (::dewar::__private::Arg::new(&*ids).part(), ()),
                    ::dewar::__private::Out::<
                        <Result<
                            HashMap<u64, Product>,
                            DbError,
                        > as ::dewar::__private::Answers>::Value,
                    >::new()
                        .kind(),
                    |plan| {
                        plan.prefix(::dewar::__private::Label::new().text("product"));
                    },
                ),
            ),
        )
    }
    fn __needs_skip(
        db: impl Sized,
        ids: &[u64],
    ) -> <Result<HashMap<u64, Product>, DbError> as ::dewar::__private::Answers>::Batch {
        <<Result<
            HashMap<u64, Product>,
            DbError,
        > as ::dewar::__private::Answers>::Batch>::look(
            ids,
            |ids| ::dewar::__private::at(
                ::dewar::__private::KEY,
                products::__site(),
                &products,
                (::dewar::__private::Arg::new(&*ids).part(), ()),
                ::dewar::__private::Out::<
                    <Result<
                        HashMap<u64, Product>,
                        DbError,
                    > as ::dewar::__private::Answers>::Value,
                >::new()
                    .kind(),
                |plan| {
                    plan.prefix(::dewar::__private::Label::new().text("product"));
                },
            ),
        )
    }
}
impl products {
    #[allow(dead_code)]
    async fn __body(db: &Pool, ids: &[u64]) -> Result<HashMap<u64, Product>, DbError> {
        db.fetch_all(ids).await
    }
}
