// #[cached(view)] #[axum::debug_handler] async fn home(State(app): State<App>) -> String { app.name }

#[axum::debug_handler]
async fn home(
    asked: ::dewar::__private::Asked<()>,
    __argument_0: State<App>,
) -> ::dewar::__private::Response {
    let (asked, ()) = asked.open();
    let at = ::dewar::__private::view(
        asked,
        __home::__site(),
        __home::__view(),
        &__home::__body,
        ::dewar::__private::READ,
        (::dewar::__private::extracted(&__argument_0).part(), ()),
        |_| {},
    );
    at.run(__home::__body(__argument_0), ::dewar::__private::respond).await
}
type home = __home;
struct __home {}
#[allow(deprecated, clippy::all)]
impl __home {
    fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .site(concat!(module_path!(), "::home"));
        &SITE
    }
    #[allow(non_upper_case_globals)]
    const __entry: ::dewar::__private::ViewsGoByUrl = ::dewar::__private::ViewsGoByUrl;
    fn __view() -> &'static ::dewar::__private::ViewSite {
        static VIEW: ::dewar::__private::ViewSite = ::dewar::__private::ViewSite::new(|
            rules|
        rules);
        &VIEW
    }
}
impl __home {
    async fn __body(State(app): State<App>) -> String {
        app.name
    }
}
