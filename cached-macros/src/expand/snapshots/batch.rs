// #[cached(timeout = 60, key_prefix = "product", batch = ids, skip(db))]
// async fn products(db: &Pool, ids: &[u64]) -> Result<HashMap<u64, Product>, DbError> { db.fetch_all(ids).await }

async fn products(db: &Pool, ids: &[u64]) -> Result<HashMap<u64, Product>, DbError> {
    __products::__entry(db, ids, ::dewar::__private::READ).run().await
}
type products = __products;
struct __products {}
#[allow(deprecated, clippy::all)]
impl __products {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .timeout(60000000000)
            .site(concat!(module_path!(), "::products"));
        &SITE
    }
    #[allow(unused_variables)]
    fn __needs_skip(
        _: impl Sized,
        ids: &[u64],
    ) -> <Result<
        HashMap<u64, Product>,
        DbError,
    > as ::dewar::__private::Answers>::Looked<Result<HashMap<u64, Product>, DbError>> {
        <Result<
            HashMap<u64, Product>,
            DbError,
        > as ::dewar::__private::Answers>::look(
            ids,
            |ids| ::dewar::__private::at(
                ::dewar::__private::KEY,
                __products::__site(),
                &__products::__body,
                (::dewar::__private::arg(ids).part(), ()),
                ::dewar::__private::out::<
                    <Result<
                        HashMap<u64, Product>,
                        DbError,
                    > as ::dewar::__private::Answers>::Value,
                >()
                    .kind(),
                |plan| {
                    plan.prefix(::dewar::__private::Label::fixed("product"));
                },
            ),
        )
    }
    fn __entry(
        db: &Pool,
        ids: &[u64],
        mode: ::dewar::__private::Mode,
    ) -> <Result<
        HashMap<u64, Product>,
        DbError,
    > as ::dewar::__private::Answers>::Handle<
        Result<HashMap<u64, Product>, DbError>,
        impl ::dewar::__private::LoadMany<
            <Result<HashMap<u64, Product>, DbError> as ::dewar::__private::Answers>::Key,
            Result<HashMap<u64, Product>, DbError>,
            Run = impl ::core::future::Future<
                Output = Result<HashMap<u64, Product>, DbError>,
            >,
        > + ::core::clone::Clone,
    > {
        <Result<
            HashMap<u64, Product>,
            DbError,
        > as ::dewar::__private::Answers>::look(
                ids,
                |ids| ::dewar::__private::at(
                    mode,
                    __products::__site(),
                    &__products::__body,
                    (::dewar::__private::arg(ids).part(), ()),
                    ::dewar::__private::out::<
                        <Result<
                            HashMap<u64, Product>,
                            DbError,
                        > as ::dewar::__private::Answers>::Value,
                    >()
                        .kind(),
                    |plan| {
                        plan.prefix(::dewar::__private::Label::fixed("product"));
                    },
                ),
            )
            .entry(
                ::dewar::__private::sharable::<Result<HashMap<u64, Product>, DbError>>()
                    .sharing(),
                move |missing: ::std::vec::Vec<_>| {
                    let db = ::core::clone::Clone::clone(&db);
                    async move { __products::__body(db, &missing).await }
                },
            )
    }
}
impl __products {
    async fn __body(db: &Pool, ids: &[u64]) -> Result<HashMap<u64, Product>, DbError> {
        db.fetch_all(ids).await
    }
}
