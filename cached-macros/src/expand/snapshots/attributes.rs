// /// Doubles.
// #[cached(single_flight = false, detach = false, cache = "numbers")] #[cfg(unix)] #[must_use] #[expect(unused)] pub(crate) async fn double(mut id: u64) -> u64 { id * 2 }

/// Doubles.
#[cfg(unix)]
#[must_use]
#[allow(unused)]
pub(crate) async fn double(id: u64) -> u64 {
    double::__entry(id, ::dewar::__private::READ).run().await
}
#[cfg(unix)]
#[doc(hidden)]
#[allow(warnings)]
pub(crate) struct double {}
#[cfg(unix)]
#[allow(warnings, clippy::all)]
impl double {
    pub(crate) fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::Site::new(
                concat!(module_path!(), "::double"),
                ::dewar::__private::Policy::DEFAULT.no_single_flight().no_detach(),
            )
            .named("numbers");
        &SITE
    }
    pub(crate) fn __entry(
        id: u64,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::Entry<u64, impl ::core::future::Future<Output = u64>> {
        ::dewar::__private::Entry::new(
            ::dewar::__private::at(
                mode,
                double::__site(),
                &double,
                (::dewar::__private::Arg::new(&id).part(), ()),
                ::dewar::__private::Out::<u64>::new().kind(),
                |_| {},
            ),
            double::__body(id),
        )
    }
}
#[cfg(unix)]
impl double {
    #[cfg(unix)]
    #[allow(unused)]
    #[allow(dead_code)]
    async fn __body(mut id: u64) -> u64 {
        id * 2
    }
}
