// #[cached(
// view, timeout = ttl(), key_prefix = "product:{id}", tags("products"), version = 2, skip(flags),
// unless = id == 0, refresh_if = query.refresh, stale_while_revalidate = "1m",
// stale_if_error("1h", retry = "5s"), single_flight = false, cache = PAGES, methods("GET"), statuses(200, 404),
// query(sorted, only("page", "q"), ignore("utm_*")), vary("Accept-Language"), cookies = ignored,
// authorization = keyed, host = false, body_limit = "64 KiB", cache_control = "public, max-age=60",
// etag = false, last_modified = false
// )]
// pub async fn product(user: CurrentUser, Path(id): Path<u64>, Query(mut query): Query<Params>, flags: Flags) -> Result<Html<String>, AppError> { page(id).await }

pub async fn product(
    user: ::dewar::__private::Asked<CurrentUser>,
    __argument_1: Path<u64>,
    __argument_2: Query<Params>,
    flags: Flags,
) -> ::dewar::__private::Response {
    let (asked, user) = user.open();
    #[allow(unused_variables)]
    let Path(id) = &__argument_1;
    #[allow(unused_variables)]
    let Query(query) = &__argument_2;
    let at = ::dewar::__private::view(
        asked,
        __product::__site(),
        __product::__view(),
        &__product::__body,
        ::dewar::__private::READ.unless(|| (*id) == 0).refresh_if(|| (*query).refresh),
        (
            ::dewar::__private::counted(::dewar::__private::arg(&(2)).part()),
            (
                ::dewar::__private::extracted(&user).part(),
                (
                    ::dewar::__private::extracted(&__argument_1).part(),
                    (
                        ::dewar::__private::extracted(&__argument_2).part(),
                        (::dewar::__private::skipped(&flags).part(), ()),
                    ),
                ),
            ),
        ),
        |plan| {
            plan.prefix(::dewar::__private::Label::new().text("product:").value(&(*id)))
                .tag(::dewar::__private::Label::fixed("products"))
                .timeout(ttl());
        },
    );
    at.run(
            __product::__body(user, __argument_1, __argument_2, flags),
            ::dewar::__private::respond,
        )
        .await
}
#[doc(hidden)]
pub type product = __product;
#[doc(hidden)]
pub struct __product {}
#[allow(deprecated, clippy::all)]
impl __product {
    pub fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .site(concat!(module_path!(), "::product"))
            .cache(|| &PAGES);
        &SITE
    }
    #[allow(non_upper_case_globals)]
    pub const __entry: ::dewar::__private::ViewsGoByUrl = ::dewar::__private::ViewsGoByUrl;
    pub fn __view() -> &'static ::dewar::__private::ViewSite {
        static VIEW: ::dewar::__private::ViewSite = ::dewar::__private::ViewSite::new(|
            rules|
        {
            rules
                .stale_while_revalidate(60000000000)
                .stale_if_error(3600000000000)
                .retry(5000000000)
                .no_single_flight()
                .no_head()
                .statuses(&[200, 404])
                .sorted_query()
                .only_query(&["page", "q"])
                .ignore_query(&["utm_*"])
                .vary(&["accept-language"])
                .cookies("ignored")
                .authorization("keyed")
                .any_host()
                .body_limit(65536)
                .cache_control("public, max-age=60")
                .no_etag()
                .no_last_modified()
        });
        &VIEW
    }
}
impl __product {
    async fn __body(
        user: CurrentUser,
        Path(id): Path<u64>,
        #[allow(unused_variables)]
        Query(mut query): Query<Params>,
        flags: Flags,
    ) -> Result<Html<String>, AppError> {
        page(id).await
    }
}
