// #[cached] pub fn f<'a, T: Hash + Eq, const N: usize>(text: &'a str, value: T) -> String where T: Clone { text.into() }

pub fn f<'a, T: Hash + Eq, const N: usize>(text: &'a str, value: T) -> String
where
    T: Clone,
{
    __f::__entry::<T, N>(text, value, ::dewar::__private::READ).run()
}
#[doc(hidden)]
pub type f = __f;
#[doc(hidden)]
pub struct __f {}
#[allow(deprecated, clippy::all)]
impl __f {
    pub fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
            .site(concat!(module_path!(), "::f"));
        &SITE
    }
    pub fn __entry<'a, T: Hash + Eq, const N: usize>(
        text: &'a str,
        value: T,
        mode: ::dewar::__private::Mode,
    ) -> ::dewar::__private::BlockingEntry<String, impl FnOnce() -> String>
    where
        T: Clone,
    {
        ::dewar::__private::at(
                mode,
                __f::__site(),
                &__f::__body::<T, N>,
                (
                    ::dewar::__private::arg(text).part(),
                    (::dewar::__private::arg(&value).part(), ()),
                ),
                ::dewar::__private::out::<String>().kind(),
                |_| {},
            )
            .blocking(move || __f::__body::<T, N>(text, value))
    }
}
impl __f {
    fn __body<'a, T: Hash + Eq, const N: usize>(text: &'a str, value: T) -> String
    where
        T: Clone,
    {
        text.into()
    }
}
