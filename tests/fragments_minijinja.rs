//! Fragments in minijinja's templates.
#![cfg(feature = "minijinja")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use common::secs;
use dewar::testing::{TestCache, isolated};
use dewar::{Cache, invalidate};
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, context};

/// An environment in which `{{ rendered() }}` counts.
fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    let count = AtomicUsize::new(0);
    env.add_function("rendered", move || count.fetch_add(1, SeqCst) + 1);
    env.add_function("cached", dewar::minijinja::cached);
    env
}

fn render(env: &Environment<'_>, name: &str, source: &str, context: Value) -> String {
    env.render_named_str(name, source, context).unwrap()
}

fn refusal(source: &str) -> String {
    let failed = environment().render_named_str("page.html", source, context! { user => 1 });
    let error = failed.unwrap_err();
    error.detail().unwrap_or_default().to_owned()
}

const SIDEBAR: &str = r#"{% call cached(60, "sidebar", user) %}{{ rendered() }}{% endcall %}"#;

#[test]
fn the_body_is_not_rendered_on_a_hit() {
    isolated(|cache| {
        let env = environment();
        let sidebar = |user: u64| render(&env, "page.html", SIDEBAR, context! { user });
        assert_eq!(
            [sidebar(1), sidebar(2), sidebar(1), sidebar(2)],
            ["1", "2", "1", "2"]
        );
        cache.advance(secs(60));
        assert_eq!(sidebar(1), "3");
    });
}

#[test]
fn different_kinds_of_values_are_different_keys() {
    isolated(|_| {
        let env = environment();
        let values = || {
            [
                Value::from(1),
                Value::from("1"),
                Value::from(1.0),
                Value::from(true),
                Value::from_safe_string("1".into()),
                Value::from_bytes(b"1".to_vec()),
                Value::from(()),
                Value::from(""),
                Value::from(0),
                Value::from(vec![1]),
                Value::from(vec!["1"]),
                Value::from(vec![vec![1]]),
                Value::from_pairs([("a", 1)]),
                Value::from_pairs([("a", "1")]),
            ]
        };
        let texts = |values: [Value; 14]| {
            values.map(|user| render(&env, "page.html", SIDEBAR, context! { user }))
        };
        let expected: Vec<_> = (1..=14).map(|n: u32| n.to_string()).collect();
        assert_eq!(texts(values())[..], expected);
        assert_eq!(texts(values())[..], expected, "each is found again");
    });
}

#[test]
fn a_number_is_one_key_whatever_its_type() {
    isolated(|_| {
        let env = environment();
        let of = |user: Value| render(&env, "page.html", SIDEBAR, context! { user });
        let one = of(Value::from(1_u64));
        assert_eq!(of(Value::from(1_i8)), one);
        assert_eq!(of(Value::from(1_u128)), one);
        assert_ne!(of(Value::from(u64::MAX)), of(Value::from(-1_i64)));
    });
}

#[test]
fn values_do_not_run_into_each_other() {
    isolated(|_| {
        let env = environment();
        let of = |values: &str| {
            let source = format!(
                r#"{{% call cached(60, "f", {values}) %}}{{{{ rendered() }}}}{{% endcall %}}"#
            );
            render(&env, "page.html", &source, ().into())
        };
        let all = [
            r#""ab", "c""#,
            r#""a", "bc""#,
            r#"["a", "bc"]"#,
            r#"("a", "bc")"#,
            r#""a", "bc", none"#,
            r#""a:bc""#,
        ];
        assert_eq!(all.map(of), ["1", "2", "3", "4", "5", "6"]);
        assert_eq!(all.map(of), ["1", "2", "3", "4", "5", "6"]);
        let maps = [r#"{"a": 1, "b": 2}"#, r#"{"b": 2, "a": 1}"#];
        assert_eq!(
            maps.map(of),
            ["7", "7"],
            "the order of a map does not count"
        );
    });
}

#[test]
fn prefixes_and_tags_reach_fragments() {
    isolated(|_| {
        let env = environment();
        let source = r#"{% call cached("1h", "sidebar", user, tags=["users", "org:" ~ org]) %}
            {{- rendered() }}{% endcall %}"#;
        let of = |user: &str, org: u32| {
            let context = context! { user, org };
            render(&env, "page.html", source, context)
        };
        let all = || [of("42", 1), of("42:1", 1), of("7", 2)];
        assert_eq!(all(), ["1", "2", "3"]);
        let user = "42";
        invalidate!(prefix = "sidebar:{user}").wait().unwrap();
        assert_eq!(all(), ["4", "2", "3"]);
        let org = 2;
        invalidate!(tag = "org:{org}").wait().unwrap();
        assert_eq!(all(), ["4", "2", "5"]);
        invalidate!(prefix = "sidebar").wait().unwrap();
        assert_eq!(all(), ["6", "7", "8"]);
        invalidate!(tag = "users").wait().unwrap();
        assert_eq!(all(), ["9", "10", "11"]);
    });
}

#[test]
fn values_are_escaped_once() {
    isolated(|_| {
        let env = environment();
        let source = r#"<b>{% call cached(60, "f", name) %}<i>{{ name }}</i>{% endcall %}</b>"#;
        let context = || context! { name => "<script>&" };
        for _ in 0..2 {
            let text = render(&env, "page.html", source, context());
            assert_eq!(text, "<b><i>&lt;script&gt;&amp;</i></b>");
        }
    });
}

#[test]
fn text_that_was_not_escaped_is_not_served_where_it_is() {
    isolated(|_| {
        let env = environment();
        let body = r#"{% call cached(60, "f", name) %}{{ name }}{% endcall %}"#;
        let plain = format!("{{% autoescape false %}}{body}{{% endautoescape %}}{body}");
        let page = render(&env, "page.html", &plain, context! { name => "<b>" });
        assert_eq!(page, "<b>&lt;b&gt;");
        // Nor where one caller has declared the same text safe.
        let of = |name: Value| render(&env, "other.html", body, context! { name });
        assert_eq!(of(Value::from_safe_string("<b>".into())), "<b>");
        assert_eq!(of(Value::from("<b>")), "&lt;b&gt;");
    });
}

#[test]
fn a_fragment_belongs_to_its_template() {
    isolated(|cache| {
        let mut env = environment();
        env.add_template("part.html", SIDEBAR).unwrap();
        let included = r#"{% include "part.html" %}"#;
        let of = |name: &str, source: &str| render(&env, name, source, context! { user => 1 });
        assert_eq!(of("one.html", included), "1");
        assert_eq!(
            of("two.html", included),
            "1",
            "the template that it stands in"
        );
        assert_eq!(of("one.html", SIDEBAR), "2");
        assert_eq!(of("two.html", SIDEBAR), "3");
        invalidate!(prefix = "sidebar").wait().unwrap();
        assert_eq!(of("one.html", included), "4", "but its name reaches all");
        assert_eq!(cache.stats().invalidated, 1);
    });
}

#[test]
fn fragments_may_be_nested_and_stand_in_loops() {
    isolated(|_| {
        let env = environment();
        let source = r#"{% call cached(60, "outer") %}{% for id in [1, 2, 1] -%}
            {% call cached(60, "row", id) %}{{ id }}:{{ rendered() }} {% endcall %}
        {%- endfor %}{% endcall %}"#;
        for _ in 0..2 {
            assert_eq!(render(&env, "page.html", source, ().into()), "1:1 2:2 1:1 ");
        }
    });
}

#[test]
fn the_cache_is_gone_past_or_written_afresh_on_request() {
    isolated(|_| {
        let env = environment();
        let source = r#"{% call cached(60, "f", unless=preview, refresh_if=refresh) %}
            {{- rendered() }}{% endcall %}"#;
        let of = |preview: bool, refresh: bool| {
            render(&env, "page.html", source, context! { preview, refresh })
        };
        let texts = [
            of(false, false),
            of(true, false),
            of(false, false),
            of(false, true),
        ];
        assert_eq!(texts, ["1", "2", "1", "3"]);
        assert_eq!(of(false, false), "3");
    });
}

#[test]
fn a_body_that_fails_is_not_stored() {
    isolated(|cache| {
        let mut env = environment();
        let tries = AtomicUsize::new(0);
        env.add_function("fails_once", move || match tries.fetch_add(1, SeqCst) {
            0 => Err(Error::new(ErrorKind::InvalidOperation, "no database")),
            _ => Ok("found"),
        });
        let source = r#"{% call cached(60, "f") %}{{ fails_once() }}{% endcall %}"#;
        let failed = env.render_named_str("page.html", source, ()).unwrap_err();
        assert_eq!(failed.detail(), Some("no database"));
        assert!(cache.is_empty());
        assert_eq!(render(&env, "page.html", source, ().into()), "found");
    });
}

#[test]
fn threads_that_ask_at_once_share_one_rendering() {
    let cache = Arc::new(TestCache::new());
    let mut env = environment();
    let waited = Arc::clone(&cache);
    env.add_function("wait_for_others", move || {
        while waited.stats().coalesced < 3 {
            std::thread::yield_now();
        }
    });
    let source =
        r#"{% call cached(60, "f") %}{% do wait_for_others() %}{{ rendered() }}{% endcall %}"#;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let text = cache.run(|| render(&env, "page.html", source, ().into()));
                assert_eq!(text, "1");
            });
        }
    });
}

#[test]
fn a_cache_of_its_own_holds_the_fragments() {
    let cache = Cache::builder().build().unwrap();
    let mut env = environment();
    env.add_function("cached", dewar::minijinja::cached_in(cache.clone()));
    render(&env, "page.html", SIDEBAR, context! { user => 1 });
    assert_eq!(cache.len(), 1);
}

#[test]
fn a_mistake_is_named_with_what_is_accepted() {
    let body = |arguments: &str| format!("{{% call cached({arguments}) %}}x{{% endcall %}}");
    let named = |arguments: &str, parts: &[&str]| {
        let message = isolated(|_| refusal(&body(arguments)));
        for part in parts {
            assert!(message.contains(part), "{arguments}: {message}");
        }
    };
    named(
        r#"0, "f""#,
        &["the timeout is `0`", "for ever", "`\"1m 30s\"`"],
    );
    named(r#"-1, "f""#, &["the timeout is `-1`"]);
    named(r#""soon", "f""#, &["the timeout is `soon`"]);
    named(r#"60, """#, &["name of the fragment is empty"]);
    named(
        r#"60, "f", user.idd"#,
        &["value 1", "`f`", "is undefined", "default(none)"],
    );
    named(r#"60, "f", 1, [user.idd]"#, &["value 2", "is undefined"]);
    named(r#"60, "f", cached"#, &["value 1", "plain object"]);
    named(r#"60, "f", tag="x""#, &["unknown keyword argument 'tag'"]);
    named(r#"60, "f", tags=5"#, &["a tag is `5`"]);
    let message = isolated(|_| refusal(r#"{{ cached(60, "f") }}"#));
    assert!(
        message.contains(r#"{% call cached(60, "f") %}"#),
        "{message}"
    );
}

#[test]
fn a_name_that_may_be_missing_can_be_a_key() {
    isolated(|_| {
        let env = environment();
        let source =
            r#"{% call cached(60, "f", user|default(none)) %}{{ rendered() }}{% endcall %}"#;
        let of = |context: Value| render(&env, "page.html", source, context);
        assert_eq!(of(context! {}), "1");
        assert_eq!(of(context! { user => () }), "1");
        assert_eq!(of(context! { user => 1 }), "2");
    });
}

#[test]
fn a_key_nested_too_deep_is_refused_and_does_not_overflow() {
    isolated(|_| {
        let nested = (0..10_000).fold(Value::from(1), |inner, _| Value::from(vec![inner]));
        let env = environment();
        let failed =
            env.render_named_str("page.html", SIDEBAR, context! { user => nested.clone() });
        let error = failed.unwrap_err();
        assert!(
            error.detail().unwrap().contains("nested more than"),
            "{error:?}"
        );
        // Dropping it would overflow the stack, which is minijinja's matter.
        std::mem::forget(nested);
    });
}
