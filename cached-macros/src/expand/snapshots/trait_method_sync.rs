// #[cached(in_trait)] fn pair(&self, (a, b): (u8, u8)) -> u8 { a + b }

fn pair(&self, __argument_1: (u8, u8)) -> u8 {
    ::dewar::__private::at(
            ::dewar::__private::READ,
            {
                static SITE: ::dewar::__private::Site = ::dewar::__private::POLICY
                    .site(concat!(module_path!(), "::pair"));
                &SITE
            },
            &|| {},
            (
                ::dewar::__private::arg(&*self).part(),
                (::dewar::__private::arg(&__argument_1).part(), ()),
            ),
            ::dewar::__private::out::<u8>().kind(),
            |_| {},
        )
        .call(move || -> u8 {
            let (a, b) = __argument_1;
            { a + b }
        })
}
