// #[cached(in_impl, timeout = "1m 30s", key_prefix = "user:{id}", skip(self), tags("users", "org:{org}"))]
// pub async fn user(&self, id: u64, org: &str) -> Option<User> { self.fetch(id, org).await }

pub async fn user(&self, id: u64, org: &str) -> Option<User> {
    match self.__cached_entry_user(id, org, ::dewar::__private::READ).hit() {
        ::core::result::Result::Ok(value) => value,
        ::core::result::Result::Err(entry) => entry.run().await,
    }
}
#[doc(hidden)]
#[allow(deprecated, clippy::all)]
pub fn __cached_site_user() -> &'static ::dewar::__private::Site {
    static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
        .timeout(90000000000)
        .site(concat!(module_path!(), "::user"));
    &SITE
}
#[doc(hidden)]
#[allow(deprecated, clippy::all)]
pub fn __cached_entry_user(
    &self,
    id: u64,
    org: &str,
    mode: ::dewar::__private::Mode,
) -> ::dewar::__private::Entry<
    Option<User>,
    impl ::core::future::Future<Output = Option<User>>,
> {
    ::dewar::__private::at(
            mode,
            Self::__cached_site_user(),
            &Self::user,
            (
                ::dewar::__private::arg(&id).part(),
                (::dewar::__private::arg(org).part(), ()),
            ),
            ::dewar::__private::out::<Option<User>>().kind(),
            |plan| {
                plan.prefix(::dewar::__private::Label::new().text("user:").value(&id))
                    .tag(::dewar::__private::Label::fixed("users"))
                    .tag(::dewar::__private::Label::new().text("org:").value(&org));
            },
        )
        .entry(self.__cached_body_user(id, org))
}
#[doc(hidden)]
async fn __cached_body_user(&self, id: u64, org: &str) -> Option<User> {
    self.fetch(id, org).await
}
