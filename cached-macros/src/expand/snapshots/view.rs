// #[cached(view, timeout = 60)] async fn product(Path(id): Path<u64>, State(db): State<Db>) -> Html<String> { page(db, id).await }

async fn product(
    __argument_0: ::dewar::__private::Asked<Path<u64>>,
    __argument_1: State<Db>,
) -> ::dewar::__private::Response {
    let (asked, __argument_0) = __argument_0.open();
    let at = ::dewar::__private::view(
        asked,
        __product::__site(),
        __product::__view(),
        &__product::__body,
        ::dewar::__private::READ,
        (
            ::dewar::__private::extracted(&__argument_0).part(),
            (::dewar::__private::extracted(&__argument_1).part(), ()),
        ),
        |_| {},
    );
    at.run(__product::__body(__argument_0, __argument_1), ::dewar::__private::respond)
        .await
}
type product = __product;
struct __product {}
#[allow(deprecated, clippy::all)]
impl __product {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .site(concat!(module_path!(), "::product"));
        &SITE
    }
    #[allow(non_upper_case_globals)]
    const __entry: ::dewar::__private::ViewsGoByUrl = ::dewar::__private::ViewsGoByUrl;
    fn __view() -> &'static ::dewar::__private::ViewSite {
        static VIEW: ::dewar::__private::ViewSite = ::dewar::__private::ViewSite::new(|
            rules|
        rules.timeout(60000000000));
        &VIEW
    }
}
impl __product {
    async fn __body(Path(id): Path<u64>, State(db): State<Db>) -> Html<String> {
        page(db, id).await
    }
}
