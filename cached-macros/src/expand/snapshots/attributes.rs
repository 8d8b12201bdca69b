// /// Doubles.
// #[cached(single_flight = false, detach = false, cache = "numbers")] #[cfg(unix)] #[must_use] #[expect(unused)] pub(crate) async fn double(mut id: u64) -> u64 { id * 2 }

/// Doubles.
#[cfg(unix)]
#[must_use]
#[allow(unused)]
pub(crate) async fn double(id: u64) -> u64 {
    match __double::__entry(id, ::dewar::__private::READ).hit() {
        ::core::result::Result::Ok(value) => value,
        ::core::result::Result::Err(entry) => entry.run().await,
    }
}
#[cfg(unix)]
#[doc(hidden)]
pub(crate) type double = __double;
#[cfg(unix)]
#[doc(hidden)]
pub(crate) struct __double {}
#[cfg(unix)]
#[allow(deprecated, clippy::all)]
impl __double {
    pub(crate) fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .no_single_flight()
            .no_detach()
            .site(concat!(module_path!(), "::double"))
            .named("numbers");
        &SITE
    }
    pub(crate) fn __entry(
        id: u64,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::Entry<u64, impl ::core::future::Future<Output = u64>> {
        ::dewar::__private::at(
                mode,
                __double::__site(),
                &__double::__body,
                (::dewar::__private::arg(&id).part(), ()),
                ::dewar::__private::out::<u64>().kind(),
                |_| {},
            )
            .entry(__double::__body(id))
    }
}
#[cfg(unix)]
impl __double {
    #[cfg(unix)]
    #[allow(unused)]
    async fn __body(mut id: u64) -> u64 {
        id * 2
    }
}
