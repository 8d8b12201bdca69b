use super::{ALL_HOSTS, UrlNames, UrlText, name, names, normal, origin, path_name, resolve};
use http::{HeaderMap, HeaderValue, Uri};

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

#[test]
fn one_spelling_for_all_that_mean_the_same() {
    assert_eq!(normal("/%7Euser/%61"), "/~user/a");
    assert_eq!(normal("/a%2fb"), "/a%2Fb");
    assert_eq!(normal("/100%/%zz/%4"), "/100%25/%25zz/%254");
    assert_eq!(normal("/%2%32"), "/%2522");
    assert_ne!(normal("/a%2Fb"), normal("/a/b"));
    assert_eq!(normal("%\u{e9}%41"), "%25%C3%A9A");
    assert_eq!(normal("/%C3%a9"), normal("/\u{e9}"));
    assert_eq!(normal("/a%3Ab%40c%2Bd"), "/a:b@c+d");
    // Clients may leave them as they are.
    assert_eq!(
        normal("/\"{}|^`[]\\<>#"),
        normal("/%22%7b%7D%7C%5E%60%5B%5D%5C%3C%3E%23")
    );
}

#[test]
fn a_url_has_one_scope_in_whatever_order_its_query_stands() {
    let here = |query| name(Some("a"), "/p", query);
    assert_eq!(here(Some("x=1&y=2")), here(Some("y=2&x=1")));
    assert_ne!(here(Some("x=1")), here(Some("x=2")));
    assert_ne!(here(None), here(Some("")));
    assert_eq!(here(Some("x=a+b%3A")), here(Some("x=a%20b:")));
    assert_ne!(here(Some("x=a%26b")), here(Some("x=a&b")));
    assert_ne!(here(Some("x=a%2Bb")), here(Some("x=a+b")));
    assert_eq!(here(Some("x={\"a\"}")), here(Some("x=%7B%22a%22%7D")));
    let all = UrlNames::of("a", "/p", Some("x=1&y=2"));
    assert_eq!(all.on_host, here(Some("y=2&x=1")));
    assert_eq!(all.on_any, name(None, "/p", Some("y=2&x=1")));
    assert_eq!(all.path, path_name("/p"));
    assert_ne!(all.on_host, name(Some("b"), "/p", Some("y=2&x=1")));
}

#[test]
fn the_name_of_a_long_url_is_short_and_its_own() {
    let long = |end| name(Some("a"), "/p", Some(&format!("{}{end}", "x".repeat(8000))));
    assert!(long("1").len() <= 256 && path_name(&"/p".repeat(4000)).len() <= 256);
    assert_ne!(long("1"), long("2"));
}

#[test]
fn references_are_resolved_on_the_same_host_only() {
    let base = uri("/shop/items/1?x=2");
    for (reference, expected) in [
        ("/a?b=c", Some("/a?b=c")),
        ("http://Shop.test/a", Some("/a")),
        ("HTTPS://shop.test/a#part", Some("/a")),
        ("//shop.test", Some("/")),
        ("//shop.test?x", Some("/?x")),
        ("http://other.test/a", None),
        ("//shop.test.other/a", None),
        ("http://shop.test:81/a", None),
        ("http://shop.test:80/a", Some("/a")),
        ("https://shop.test:443/a", Some("/a")),
        ("//shop.test:", Some("/")),
        ("http://shop.test:80:80/a", None),
        ("http://shop.test:080/a", None),
        ("/p/\u{e9} x?\u{fc}", Some("/p/%C3%A9%20x?%C3%BC")),
        ("/%c3%a9/a|b<c>", Some("/%c3%a9/a%7Cb%3Cc%3E")),
        ("http://user@shop.test/a", None),
        ("2", Some("/shop/items/2")),
        ("../carts/./3", Some("/shop/carts/3")),
        ("../../../../x", Some("/x")),
        ("..", Some("/shop/")),
        ("?y=1", Some("/shop/items/1?y=1")),
        ("mailto:somebody", None),
        ("#part", None),
        ("", None),
    ] {
        let found = resolve("shop.test", &base, reference.as_bytes());
        let found = found.as_ref().map(|found| found.as_str());
        assert_eq!(found, expected, "{reference}");
    }
}

#[test]
fn a_reference_in_any_bytes_is_escaped() {
    let found = resolve("shop.test", &uri("/"), b"/p/caf\xe9\t");
    assert_eq!(found.unwrap().as_str(), "/p/caf%E9");
}

#[test]
fn what_has_changed_is_called_on_its_host_and_where_hosts_are_one() {
    let called: Vec<_> = names(Some("a:80"), "/p", None).collect();
    assert!(called.contains(&name(Some("a"), "/p", None)));
    assert!(called.contains(&name(Some(ALL_HOSTS), "/p", None)));
    assert!(!called.contains(&name(Some("a:81"), "/p", None)));
}

#[test]
fn a_request_that_names_two_hosts_has_no_origin() {
    let headers = |hosts: &[&str]| {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append("host", HeaderValue::from_str(host).unwrap());
        }
        headers
    };
    let of = |uri: &str, hosts: &[&str]| {
        let (uri, headers) = (self::uri(uri), headers(hosts));
        origin(&uri, &headers).map(std::borrow::Cow::into_owned)
    };
    assert_eq!(of("/", &["A.test:80"]).as_deref(), Some("a.test:80"));
    assert_eq!(of("/", &[]).as_deref(), Some(""));
    assert_eq!(
        of("http://a.test/", &["a.test"]).as_deref(),
        Some("http://a.test")
    );
    assert_eq!(of("http://a.test/", &[]).as_deref(), Some("http://a.test"));
    assert_eq!(of("http://a.test/", &["b.test"]), None);
    assert_eq!(of("/", &["a.test", "b.test"]), None);
    assert_eq!(of("http://me@a.test/", &[]), None);
    // Nor does one that names none.
    for host in [
        "<any>",
        "<all>",
        "a b",
        "a/b",
        "a?b",
        "a#b",
        "me@a.test",
        "a\"",
        "{a}",
        "a,b c",
    ] {
        assert_eq!(of("/", &[host]), None, "{host}");
    }
    for host in [
        "[::1]:8080",
        "a_b.test:80",
        "xn--bcher-kva.test",
        "*",
        "127.0.0.1",
        "",
    ] {
        assert_eq!(of("/", &[host]).as_deref(), Some(host));
        assert_ne!(name(Some(host), "/p", None), name(None, "/p", None));
        assert_ne!(
            name(Some(host), "/p", None),
            name(Some(ALL_HOSTS), "/p", None)
        );
    }
}

#[test]
fn a_value_stays_within_its_segment_and_is_found_in_every_spelling() {
    let path = |value: &str| {
        let text = UrlText::new().text("/tags/").value(value);
        normal(text.as_str()).into_owned()
    };
    assert_eq!(path("a/b"), "/tags/a%2Fb");
    assert_eq!(path("a?b#c%d"), "/tags/a%3Fb%23c%25d");
    for (value, asked) in [
        ("a:b", "/tags/a:b"),
        ("a b", "/tags/a%20b"),
        ("\u{e9}", "/tags/%c3%a9"),
    ] {
        assert_eq!(path(value), normal(asked));
    }
}
