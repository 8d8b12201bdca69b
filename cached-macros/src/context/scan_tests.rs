use super::*;

const FREE: Option<Context> = Some(Context::Free);
const PLAIN: Option<Context> = Some(Context::Impl { generic: false });
const GENERIC: Option<Context> = Some(Context::Impl { generic: true });
const TRAIT: Option<Context> = Some(Context::Trait);

/// Where the function `f` stands.
fn place(source: &str) -> Option<Context> {
    let sites = scan(source);
    let f = |site: &&Site| site.name.as_deref().is_none_or(|name| name == "f");
    sites.iter().find(f).expect("there is an f").context
}

#[test]
fn blocks_are_told_apart() {
    for (source, context) in [
        ("fn f() {}", FREE),
        ("mod m { pub(crate) async fn f() {} }", FREE),
        ("impl T { fn f() {} }", PLAIN),
        (
            "impl T { const A: u8 = 1; fn g() { x } pub fn f() {} }",
            PLAIN,
        ),
        ("impl<T> Vec<T> { fn f() {} }", GENERIC),
        ("impl<'a> T<'a> { fn f() {} }", GENERIC),
        ("impl T<'_> { fn f() {} }", GENERIC),
        ("impl T<&u8> { fn f() {} }", GENERIC),
        ("impl A for T { fn f() {} }", TRAIT),
        (
            "unsafe impl<T> m::A<T> for T where T: B { fn f() {} }",
            TRAIT,
        ),
        ("default impl A for T { fn f() {} }", TRAIT),
        ("pub trait A: B { fn f() { 1 } }", TRAIT),
        ("pub unsafe auto trait A { fn f() {} }", TRAIT),
        ("extern \"C\" { fn f(); }", FREE),
    ] {
        assert_eq!(place(source), context, "{source}");
    }
}

#[test]
fn a_for_that_belongs_to_a_lifetime_makes_no_trait() {
    for (source, context) in [
        (
            "impl<F: for<'a> Fn(&'a u8) -> u8> T<F> { fn f() {} }",
            GENERIC,
        ),
        (
            "impl<F> T<F> where for<'a> F: Fn(&'a u8) { fn f() {} }",
            GENERIC,
        ),
        ("impl T<for<'a> fn(&'a u8) -> u8> { fn f() {} }", PLAIN),
        (
            "impl<F> A for T<F> where F: Fn() -> u8 { fn f() {} }",
            TRAIT,
        ),
        ("impl<F: Fn() -> u8> A for T<F> { fn f() {} }", TRAIT),
    ] {
        assert_eq!(place(source), context, "{source}");
    }
}

#[test]
fn braces_between_angle_brackets_are_constants() {
    for (source, context) in [
        ("impl T<{ 1 + 2 }> { fn f() {} }", PLAIN),
        ("impl A<{ N }> for T<{ N }> { fn f() {} }", TRAIT),
        ("impl T<[u8; { 3 }]> { fn f() {} }", PLAIN),
        ("impl T { fn g() -> U<{ 1 }> { fn f() {} } }", FREE),
        ("fn g() { if a < b { fn f() {} } }", FREE),
    ] {
        assert_eq!(place(source), context, "{source}");
    }
}

#[test]
fn functions_inside_functions_are_free() {
    for (source, context) in [
        ("impl T { fn g(&self) { fn f() {} } }", FREE),
        (
            "impl T { fn g(&self) { if x { let y = || { fn f() {} }; } } }",
            FREE,
        ),
        ("impl T { const A: u8 = { fn f() {} 1 }; }", FREE),
        ("fn g() { struct S; impl S { fn f() {} } }", PLAIN),
        ("fn g() { match x { A => { fn f() {} } B => {} } }", FREE),
        ("const _: () = { impl T { fn f() {} } };", PLAIN),
        ("fn g() { unsafe { async move { fn f() {} } } }", FREE),
    ] {
        assert_eq!(place(source), context, "{source}");
    }
}

#[test]
fn inside_macros_only_a_block_around_it_tells() {
    for (source, context) in [
        ("macro_rules! m { ($n:ident) => { fn f() {} }; }", None),
        ("macro_rules! m { () => { impl T { fn f() {} } } }", PLAIN),
        (
            "macro_rules! m { ($n:ident $t:ty) => { impl $t { fn $n() {} } } }",
            PLAIN,
        ),
        (
            "macro_rules! m { () => { impl $(<$p>)? T { fn $n() {} } } }",
            GENERIC,
        ),
        (
            "macro_rules! m { () => { impl $trait for $t { fn $n() {} } } }",
            TRAIT,
        ),
        ("macro_rules! m { () => { fn $n() {} } }", None),
        ("m! { fn f() {} }", None),
        ("a::m!(fn f() {});", None),
        ("m! { impl A for T { fn f() {} } }", TRAIT),
        ("m! {} fn f() {}", FREE),
        ("fn g() { if !x { fn f() {} } }", FREE),
        ("fn g() { m![1]; fn f() {} }", FREE),
    ] {
        assert_eq!(place(source), context, "{source}");
    }
}

#[test]
fn attributes_and_words_in_front_are_passed_over() {
    for (source, context) in [
        (
            "#[a(b = \"{\")] impl T { #![allow(x)] #[cached] fn f() {} }",
            PLAIN,
        ),
        ("#![allow(x)]\nimpl A for T { fn f() {} }", TRAIT),
        ("#[cfg(all(a, b))] pub(crate) mod m { fn f() {} }", FREE),
        (
            "impl T { #[doc = \"}\"] #[cached(tags(\"a\"), key = { 1 })] fn f() {} }",
            PLAIN,
        ),
    ] {
        assert_eq!(place(source), context, "{source}");
    }
}

#[test]
fn braces_in_texts_and_comments_do_not_count() {
    for (source, context) in [
        ("impl T { // }\n fn f() {} }", PLAIN),
        ("impl T { /* } /* } */ } */ fn f() {} }", PLAIN),
        ("impl T { /// }\n fn f() {} }", PLAIN),
        ("impl T { const A: &str = \"}\\\"}\"; fn f() {} }", PLAIN),
        ("impl T { const A: &str = r#\"}\"}\"#; fn f() {} }", PLAIN),
        (
            "impl T { const A: &[u8] = br##\"}\"#}\"##; fn f() {} }",
            PLAIN,
        ),
        ("impl T { const A: &CStr = c\"}\"; fn f() {} }", PLAIN),
        (
            "impl T { const A: char = '}'; const B: char = '\\''; fn f() {} }",
            PLAIN,
        ),
        (
            "impl T { const A: u8 = b'}'; const B: u8 = b'\\''; fn f() {} }",
            PLAIN,
        ),
        (
            "impl T { fn g<'a>(x: &'a str) -> &'a str { x } fn f() {} }",
            PLAIN,
        ),
        (
            "impl T { const A: f64 = 1.0e5; const B: R = 0..10; fn f() {} }",
            PLAIN,
        ),
        ("impl T { fn r#fn() {} fn f() {} }", PLAIN),
        ("impl T { const A: char = '\\u{7d}'; fn f() {} }", PLAIN),
        ("#!/usr/bin/env run {\nfn f() {}", FREE),
    ] {
        assert_eq!(place(source), context, "{source}");
    }
}

#[test]
fn places_count_lines_and_characters_from_one() {
    let source = "\u{feff}// a\r\n/* é𝄞 */ fn one() {}\r\n\tfn r#two(a: fn(u8)) {}\nfn\none() {}";
    let sites = scan(source);
    let found: Vec<_> = sites
        .iter()
        .map(|it| (it.name.as_deref().unwrap(), it.line, it.column))
        .collect();
    assert_eq!(found, [("one", 2, 10), ("r#two", 3, 2), ("one", 4, 1)]);
}

#[test]
fn unbalanced_text_does_no_harm() {
    for source in [
        "} } fn f() {}",
        "impl T { fn f() {",
        "fn f(",
        "\"",
        "/*",
        "'",
        "r#\"",
        "fn",
    ] {
        scan(source);
    }
}
