// #[cached(in_trait, timeout = never, key_prefix = "{self.tenant}:{id}")]
// async fn user(&self, id: u64) -> Option<User> { self.fetch(id).await }

async fn user(&self, id: u64) -> Option<User> {
    match ::dewar::__private::at(
            ::dewar::__private::READ,
            {
                static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
                    .never()
                    .site(concat!(module_path!(), "::user"));
                &SITE
            },
            &|| {},
            (
                ::dewar::__private::arg(&*self).part(),
                (::dewar::__private::arg(&id).part(), ()),
            ),
            ::dewar::__private::out::<Option<User>>().kind(),
            |plan| {
                plan.prefix(
                    ::dewar::__private::Label::new()
                        .value(&self.tenant)
                        .text(":")
                        .value(&id),
                );
            },
        )
        .entry((async move || -> Option<User> { self.fetch(id).await })())
        .hit()
    {
        ::core::result::Result::Ok(value) => value,
        ::core::result::Result::Err(entry) => entry.run().await,
    }
}
