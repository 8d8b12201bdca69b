// #[cached] pub fn f<'a, T: Hash + Eq, const N: usize>(text: &'a str, value: T) -> String where T: Clone { text.into() }

pub fn f<'a, T: Hash + Eq, const N: usize>(text: &'a str, value: T) -> String
where
    T: Clone,
{
    f::__entry::<T, N>(text, value, ::dewar::__private::READ).run()
}
#[doc(hidden)]
#[allow(warnings)]
pub struct f {}
#[allow(warnings, clippy::all)]
impl f {
    pub fn __site() -> &'static ::dewar::__private::Site {
        static SITE: ::dewar::__private::Site = ::dewar::__private::Site::new(
            concat!(module_path!(), "::f"),
            ::dewar::__private::Policy::DEFAULT,
        );
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
        ::dewar::__private::BlockingEntry::new(
            ::dewar::__private::at(
                mode,
                f::__site(),
                &f::<T, N>,
                (
                    ::dewar::__private::Arg::new(&text).part(),
                    (::dewar::__private::Arg::new(&value).part(), ()),
                ),
                ::dewar::__private::Out::<String>::new().kind(),
                |_| {},
            ),
            move || f::__body::<T, N>(text, value),
        )
    }
}
impl f {
    #[allow(dead_code)]
    fn __body<'a, T: Hash + Eq, const N: usize>(text: &'a str, value: T) -> String
    where
        T: Clone,
    {
        text.into()
    }
}
