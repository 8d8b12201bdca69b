// #[cached(view, in_impl, key = user.id)] async fn account<S: Store>(user: CurrentUser, State(store): State<S>) -> String { store.name(user.id).await }

async fn account<S: Store>(
    user: ::dewar::__private::Asked<CurrentUser>,
    __argument_1: State<S>,
) -> ::dewar::__private::Response {
    let (asked, user) = user.open();
    let at = ::dewar::__private::view(
        asked,
        Self::__cached_site_account(),
        Self::__cached_view_account(),
        &Self::__cached_body_account::<S>,
        ::dewar::__private::READ,
        (
            ::dewar::__private::skipped(&user).part(),
            (
                ::dewar::__private::skipped(&__argument_1).part(),
                (
                    ::dewar::__private::counted(
                        ::dewar::__private::arg(&(user.id)).part(),
                    ),
                    (),
                ),
            ),
        ),
        |_| {},
    );
    at.run(
            Self::__cached_body_account::<S>(user, __argument_1),
            ::dewar::__private::respond,
        )
        .await
}
#[doc(hidden)]
#[allow(deprecated, clippy::all)]
fn __cached_site_account() -> &'static ::dewar::__private::Site {
    static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
        .site(concat!(module_path!(), "::account"));
    &SITE
}
#[doc(hidden)]
#[allow(deprecated, clippy::all)]
#[allow(non_upper_case_globals)]
const __cached_entry_account: ::dewar::__private::ViewsGoByUrl = ::dewar::__private::ViewsGoByUrl;
#[doc(hidden)]
#[allow(deprecated, clippy::all)]
fn __cached_view_account() -> &'static ::dewar::__private::ViewSite {
    static VIEW: ::dewar::__private::ViewSite = ::dewar::__private::ViewSite::new(|
        rules|
    rules);
    &VIEW
}
#[doc(hidden)]
async fn __cached_body_account<S: Store>(
    user: CurrentUser,
    State(store): State<S>,
) -> String {
    store.name(user.id).await
}
