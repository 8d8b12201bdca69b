// #[cached(in_impl, timeout = "1m 30s", key_prefix = "user:{id}", skip(self), tags("users", "org:{org}"))]
// pub async fn user(&self, id: u64, org: &str) -> Option<User> { self.fetch(id, org).await }

pub async fn user(&self, id: u64, org: &str) -> Option<User> {
    self.__cached_entry_user(id, org, ::dewar::__private::READ).run().await
}
#[doc(hidden)]
#[allow(warnings, clippy::all)]
pub fn __cached_site_user() -> &'static ::dewar::__private::Site {
    static SITE: ::dewar::__private::Site = ::dewar::__private::Site::new(
        concat!(module_path!(), "::user"),
        ::dewar::__private::Policy::DEFAULT.timeout(90000000000u64),
    );
    &SITE
}
#[doc(hidden)]
#[allow(warnings, clippy::all)]
pub fn __cached_entry_user(
    &self,
    id: u64,
    org: &str,
    mode: ::dewar::__private::Mode,
) -> ::dewar::__private::Entry<
    Option<User>,
    impl ::core::future::Future<Output = Option<User>>,
> {
    ::dewar::__private::Entry::new(
        ::dewar::__private::at(
            mode,
            Self::__cached_site_user(),
            &Self::user,
            (
                ::dewar::__private::Arg::new(&id).part(),
                (::dewar::__private::Arg::new(&org).part(), ()),
            ),
            ::dewar::__private::Out::<Option<User>>::new().kind(),
            |plan| {
                plan.prefix(::dewar::__private::Label::new().text("user:").value(&id))
                    .tag(::dewar::__private::Label::new().text("users"))
                    .tag(::dewar::__private::Label::new().text("org:").value(&org));
            },
        ),
        self.__cached_body_user(id, org),
    )
}
#[doc(hidden)]
#[allow(dead_code)]
async fn __cached_body_user(&self, id: u64, org: &str) -> Option<User> {
    self.fetch(id, org).await
}
