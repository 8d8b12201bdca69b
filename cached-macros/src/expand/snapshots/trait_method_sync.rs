// #[cached(in_trait)] fn pair(&self, (a, b): (u8, u8)) -> u8 { a + b }

fn pair(&self, __argument_1: (u8, u8)) -> u8 {
    ::dewar::__private::at(
            ::dewar::__private::READ,
            {
                static SITE: ::dewar::__private::Site = ::dewar::__private::Site::new(
                    concat!(module_path!(), "::pair"),
                    ::dewar::__private::Policy::DEFAULT,
                );
                &SITE
            },
            &|| {},
            (
                ::dewar::__private::Arg::new(&*self).part(),
                (::dewar::__private::Arg::new(&__argument_1).part(), ()),
            ),
            ::dewar::__private::Out::<u8>::new().kind(),
            |_| {},
        )
        .call(move || -> u8 {
            let (a, b) = __argument_1;
            { a + b }
        })
}
