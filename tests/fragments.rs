//! Fragments by the function for any template engine, shown with askama.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use askama::Template;
use dewar::testing::{TestCache, isolated};
use dewar::{Cache, Expiry, Label, StoreKind, fragment, invalidate};
use futures::executor::block_on;

mod common;
use common::secs;

#[derive(Template)]
#[template(source = "<nav>{{ name }}: {{ basket }}</nav>", ext = "html")]
struct Sidebar<'a> {
    name: &'a str,
    basket: u32,
}

#[derive(Template)]
#[template(source = "<body>{{ sidebar|safe }}</body>", ext = "html")]
struct Page {
    sidebar: Arc<str>,
}

#[test]
fn an_askama_template_is_rendered_once_and_escaped_once() {
    isolated(|cache| {
        let page = |basket| {
            let template = Sidebar {
                name: "<Ada>",
                basket,
            };
            let sidebar = fragment("sidebar")
                .key("<Ada>")
                .render(|| template.render())?;
            Page { sidebar }.render()
        };
        let first = page(1).unwrap();
        assert_eq!(first, "<body><nav>&#60;Ada&#62;: 1</nav></body>");
        assert_eq!(page(2).unwrap(), first, "the body was not rendered");
        let stats = cache.stats();
        assert_eq!((stats.loads, stats.hits), (1, 1));
    });
}

/// The number of the rendering that is served.
fn rendering(of: dewar::Fragment) -> usize {
    static RENDERED: AtomicUsize = AtomicUsize::new(0);
    let render = || Ok::<_, String>((RENDERED.fetch_add(1, SeqCst) + 1).to_string());
    of.render(render).unwrap().parse().unwrap()
}

#[test]
fn different_names_and_keys_are_different_fragments() {
    isolated(|_| {
        let all = || {
            [
                fragment("a"),
                fragment("b"),
                fragment("a").key(""),
                fragment("a").key(()),
                fragment("a").key(1),
                fragment("a").key("1"),
                fragment("a").key(1.0),
                fragment("a").key(true),
                fragment("a:1"),
                fragment("a").key("ab").key("c"),
                fragment("a").key("a").key("bc"),
                fragment("a").key(("a", "bc")),
                fragment("a").key(vec!["a", "bc"]),
            ]
        };
        let first = all().map(rendering);
        let mut distinct = first.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), first.len());
        assert_eq!(all().map(rendering), first, "each is found again");
    });
}

#[test]
fn a_prefix_reaches_a_level_and_what_is_below_it() {
    isolated(|_| {
        let of = |user: &str, page: u32| fragment("sidebar").key(user).key(page);
        let all = || ["42", "420", "42:1", "é"].map(|user| rendering(of(user, 1)));
        let stays = |before: [usize; 4]| {
            let after = all();
            std::array::from_fn::<bool, 4, _>(|at| before[at] == after[at])
        };

        let before = all();
        let user = "42";
        invalidate!(prefix = "sidebar:{user}").wait().unwrap();
        assert_eq!(stays(before), [false, true, true, true]);

        let before = all();
        invalidate!(prefix = "sidebar:42:1").wait().unwrap();
        assert_eq!(
            stays(before),
            [false, true, true, true],
            "page 1 of user 42"
        );

        let before = all();
        let user = "42:1";
        invalidate!(prefix = "sidebar:{user}").wait().unwrap();
        assert_eq!(stays(before), [true, true, false, true]);

        let before = all();
        invalidate!(pattern = "sidebar:é*").wait().unwrap();
        assert_eq!(stays(before), [true, true, true, false]);

        let before = all();
        invalidate!(prefix = "sidebar").wait().unwrap();
        assert_eq!(stays(before), [false; 4]);
    });
}

#[test]
fn what_has_no_text_is_reached_by_the_level_above() {
    isolated(|_| {
        let list = || rendering(fragment("table").key([1, 2]).key("x"));
        let first = list();
        invalidate!(prefix = "table:x").wait().unwrap();
        assert_eq!(list(), first);
        invalidate!(prefix = "table").wait().unwrap();
        assert_ne!(list(), first);
    });
}

#[test]
fn a_tag_reaches_every_fragment_that_has_it() {
    isolated(|_| {
        let org = 5;
        let tagged = || {
            fragment("head")
                .tag("menu")
                .tag(Label::new().text("org:").value(org))
        };
        let first = rendering(tagged());
        invalidate!(tag = "org:6").wait().unwrap();
        assert_eq!(rendering(tagged()), first);
        invalidate!(tag = "org:{org}").wait().unwrap();
        assert_ne!(rendering(tagged()), first);
    });
}

#[test]
fn a_fragment_lives_as_long_as_it_is_told_to() {
    let cache = TestCache::with(Cache::builder().default_timeout(secs(10))).unwrap();
    cache.run(|| {
        let default = || rendering(fragment("default"));
        let minute = || rendering(fragment("minute").timeout(secs(60)));
        let never = || rendering(fragment("never").timeout(Expiry::Never));
        let zero = || rendering(fragment("zero").timeout(secs(0)));
        let first = (default(), minute(), never());
        assert_ne!(zero(), zero(), "no time at all: not stored");
        cache.advance(secs(10));
        assert_ne!(default(), first.0);
        assert_eq!(minute(), first.1);
        cache.advance(secs(50));
        assert_ne!(minute(), first.1);
        cache.advance(secs(1_000_000));
        assert_eq!(never(), first.2);
    });
}

#[test]
fn an_error_is_returned_and_not_stored() {
    isolated(|cache| {
        let tries = Cell::new(0);
        let render = || {
            fragment("sidebar").render(|| {
                tries.set(tries.get() + 1);
                if tries.get() == 1 {
                    Err("no database")
                } else {
                    Ok("<nav>")
                }
            })
        };
        assert_eq!(render(), Err("no database"));
        assert_eq!(render().as_deref(), Ok("<nav>"));
        assert_eq!(render().as_deref(), Ok("<nav>"));
        assert_eq!((tries.get(), cache.stats().load_errors), (2, 1));
    });
}

#[test]
fn the_cache_is_gone_past_or_written_afresh_on_request() {
    isolated(|_| {
        let plain = || rendering(fragment("f"));
        let first = plain();
        assert_ne!(rendering(fragment("f").unless(true)), first);
        assert_eq!(plain(), first, "nothing was stored");
        let fresh = rendering(fragment("f").refresh_if(true));
        assert_ne!(fresh, first);
        assert_eq!(plain(), fresh);
    });
}

#[test]
fn a_fragment_is_kept_in_the_cache_that_it_names() {
    let (one, other) = (TestCache::new(), TestCache::new());
    one.scope_blocking(|| rendering(fragment("f").cache(&other)));
    assert_eq!((one.len(), other.len()), (0, 1));
    // In an isolated test nothing reaches another cache.
    one.run(|| rendering(fragment("f").cache(&other)));
    assert_eq!((one.len(), other.len()), (1, 1));
}

#[test]
fn without_a_store_every_page_renders() {
    let cache = TestCache::with(Cache::builder().store(StoreKind::Null)).unwrap();
    cache.run(|| assert_ne!(rendering(fragment("f")), rendering(fragment("f"))));
}

#[test]
fn what_is_in_a_key_is_not_shown() {
    let shown = format!("{:?}", fragment("f").key("secret").tag("secret"));
    assert!(
        !shown.contains("secret") && !shown.contains("115, 101"),
        "{shown}"
    );
}

#[test]
fn a_value_that_cannot_be_serialised_is_never_mixed_up_with_another() {
    struct Broken;
    impl serde::Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("broken"))
        }
    }
    isolated(|cache| {
        let broken = || rendering(fragment("f").key(Broken));
        assert_ne!(broken(), broken());
        assert!(cache.is_empty());
    });
}

#[test]
fn threads_that_ask_at_once_share_one_rendering() {
    let cache = TestCache::new();
    let rendered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                cache.run(|| {
                    let text = fragment("slow").render(|| {
                        rendered.fetch_add(1, SeqCst);
                        while cache.stats().coalesced < 3 {
                            std::thread::yield_now();
                        }
                        Ok::<_, String>("done")
                    });
                    assert_eq!(text.as_deref(), Ok("done"));
                });
            });
        }
    });
    assert_eq!(rendered.load(SeqCst), 1);
}

#[test]
fn a_body_may_await() {
    isolated(|cache| {
        let sidebar = || {
            fragment("sidebar").key(1).render_async(async || {
                std::future::ready(()).await;
                Ok::<_, String>("<nav>")
            })
        };
        assert_eq!(block_on(sidebar()).as_deref(), Ok("<nav>"));
        assert_eq!(block_on(sidebar()).as_deref(), Ok("<nav>"));
        assert_eq!(cache.stats().loads, 1);
        // The other way to the same entry.
        assert_eq!(rendering_of("sidebar"), "<nav>");
    });
}

fn rendering_of(name: &str) -> String {
    let text = fragment(name)
        .key(1)
        .render(|| Err::<String, _>("rendered"));
    text.unwrap().to_string()
}

#[test]
fn the_text_weighs() {
    let cache = TestCache::with(Cache::builder().max_bytes(1 << 20)).unwrap();
    cache.run(|| {
        let text = "x".repeat(100_000);
        fragment("large")
            .render(|| Ok::<_, String>(text.as_str()))
            .unwrap();
        assert!(
            (100_000..101_000).contains(&cache.weight()),
            "{}",
            cache.weight()
        );
    });
}

#[cfg(feature = "stores")]
#[test]
fn a_shared_store_serves_the_fragments_of_one_process_to_another() {
    let store = dewar::testing::FaultyStore::new();
    let process = || TestCache::with(Cache::builder().shared(store.clone())).unwrap();
    let (one, other) = (process(), process());
    let sidebar = |user: u64, text: &'static str| {
        let of = fragment("sidebar").key(user).timeout(secs(60));
        of.render(|| Ok::<_, String>(text)).unwrap().to_string()
    };
    assert_eq!(one.run(|| sidebar(42, "<nav>")), "<nav>");
    assert_eq!(other.run(|| sidebar(42, "rendered")), "<nav>");
    assert_eq!(other.run(|| sidebar(43, "another")), "another");
    one.run(|| invalidate!(prefix = "sidebar:42").wait())
        .unwrap();
    assert_eq!(one.run(|| sidebar(42, "afresh")), "afresh");
    assert_eq!(one.run(|| sidebar(43, "rendered")), "another");
}
