//! The function's arguments are in scope in its options, also in closures that outlive the call.
#![deny(unused_variables)]

use std::collections::HashMap;
use std::time::Duration;

use dewar::testing::isolated;
use dewar::{cached, entry, invalidate};

#[derive(Clone)]
struct Limits {
    length: usize,
}

#[cached(skip(limits), cache_if = |text| text.len() <= limits.length)]
fn owned(text: String, limits: Limits) -> String {
    text
}

#[cached(skip(limits), cache_if = |text| text.len() <= limits.length)]
async fn lent(text: &str, limits: &Limits) -> String {
    text.to_owned()
}

#[cached(tags(|text: &String| [format!("{kind}:{}", text.len())]))]
fn tagged(text: &str, kind: &str) -> String {
    format!("{text}{kind}")
}

#[cached(timeout = |_: &u64| Duration::from_secs(*seconds.first().unwrap_or(&1)))]
fn timed(seconds: &[u64]) -> u64 {
    seconds.iter().sum()
}

#[cached(skip(known), stale_if = |text| text != known)]
fn checked(known: &str) -> String {
    known.to_owned()
}

#[derive(Clone, PartialEq, Debug)]
enum Failed {
    Once,
    Twice,
}

#[cached(timeout = 60, skip(other, fails), stale_if_error("1h", only = |error| *error != other))]
fn only(fails: bool, other: Failed) -> Result<u64, Failed> {
    if fails { Err(Failed::Once) } else { Ok(1) }
}

#[cached(batch = ids, skip(least), cache_if = |n| n >= least && n > ids)]
fn many(ids: &[u64], least: &u64) -> HashMap<u64, u64> {
    let _ = least;
    ids.iter().map(|id| (*id, id * 10)).collect()
}

#[cached(skip(least), cache_if = |n| n.to_string().as_str() >= least.as_ref())]
fn opaque(n: u64, least: &(impl AsRef<str> + Clone + Send + Sync + 'static)) -> u64 {
    let _ = least.as_ref();
    n
}

fn marks(known: &[impl AsRef<str>], n: u64) -> Vec<String> {
    let mark = |it: &_| format!("{}:{n}", AsRef::<str>::as_ref(it));
    known.iter().map(mark).collect()
}

#[cached(skip(known), tags(|sum: &u64| marks(known, *sum)))]
fn opaque_inside(n: u64, known: &[impl AsRef<str> + Clone + Send + Sync + 'static]) -> u64 {
    n + known.len() as u64
}

/// A text that looks like the name of an argument is none.
#[cached(skip(kind, size), tags(|_: &u64| [format!("kind:{size:>3}")]))]
fn texts(id: u64, kind: &str, size: u8) -> u64 {
    id + kind.len() as u64
}

/// A closure in the closure has a variable of the argument's name.
#[cached(skip(one), tags(|all: &Vec<u64>| all.iter().map(|one| format!("one:{one}")).collect::<Vec<_>>()))]
fn inner(one: std::sync::Mutex<u64>, to: u64) -> Vec<u64> {
    (one.into_inner().unwrap()..to).collect()
}

impl Limits {
    #[cached(cache_if = |text| text.len() <= self.length, skip(self), stale_if = |text| text.len() > self.length)]
    fn method(&self, text: &str) -> String {
        text.to_owned()
    }

    #[cached(skip(self), tags(|text: &String| [format!("{}", text.len() + self.length)]))]
    async fn shared(self: std::sync::Arc<Self>, text: String) -> String {
        text
    }
}

trait Spoken {
    fn spoken(&self, text: &str) -> String;
}

impl Spoken for Limits {
    #[cached(cache_if = |text| (0..=self.length).contains(&text.len()), skip(self))]
    fn spoken(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Used in an option and nowhere else.
#[cached(unless = off, refresh_if = again, key_prefix = "n:{id}:{page}", skip(off, again))]
fn only_in_options(id: u64, page: &str, off: bool, again: bool) -> u64 {
    7
}

#[test]
fn a_condition_on_the_value_uses_an_owned_argument() {
    isolated(|cache| {
        let limits = Limits { length: 3 };
        owned("abc".into(), limits.clone());
        owned("abcd".into(), limits);
        assert_eq!(cache.len(), 1);
    });
}

#[test]
fn a_condition_on_the_value_uses_a_borrowed_argument() {
    isolated(|cache| {
        let limits = Limits { length: 3 };
        futures::executor::block_on(lent("abc", &limits));
        futures::executor::block_on(lent("abcd", &limits));
        assert_eq!(cache.len(), 1);
    });
}

#[test]
fn tags_of_the_value_use_an_argument() {
    isolated(|_| {
        tagged("abc", "x");
        tagged("abc", "y");
        drop(invalidate!(tag = "x:4"));
        assert!(!entry!(tagged("abc", "x")).contains());
        assert!(entry!(tagged("abc", "y")).contains());
    });
}

#[test]
fn a_timeout_of_the_value_uses_an_argument() {
    isolated(|cache| {
        timed(&[5, 6]);
        cache.advance(Duration::from_secs(4));
        assert!(entry!(timed(&[5, 6])).contains());
        cache.advance(Duration::from_secs(1));
        assert!(!entry!(timed(&[5, 6])).contains());
    });
}

#[test]
fn a_check_of_a_hit_uses_an_argument() {
    isolated(|cache| {
        assert_eq!((checked("a"), checked("a")), ("a".into(), "a".into()));
        assert_eq!(checked("b"), "b");
        assert_eq!((cache.stats().hits, cache.stats().loads), (1, 2));
    });
}

#[test]
fn a_condition_on_the_error_uses_an_argument() {
    isolated(|cache| {
        assert_eq!(only(false, Failed::Twice), Ok(1));
        cache.advance(Duration::from_secs(61));
        assert_eq!(only(true, Failed::Twice), Ok(1));
        cache.advance(Duration::from_secs(61));
        assert_eq!(only(true, Failed::Once), Err(Failed::Once));
    });
}

#[test]
fn a_batch_condition_uses_the_key_and_other_arguments() {
    isolated(|cache| {
        assert_eq!(many(&[0, 1, 2, 3], &20).len(), 4);
        assert_eq!(cache.len(), 2);
    });
}

#[test]
fn a_text_with_an_argument_in_braces_uses_it() {
    isolated(|_| {
        texts(1, "a", 7);
        drop(invalidate!(tag = "kind:  8"));
        assert!(entry!(texts(1, "a", 7)).contains());
        drop(invalidate!(tag = "kind:  7"));
        assert!(!entry!(texts(1, "a", 7)).contains());
    });
}

#[test]
fn a_closure_s_own_variable_is_no_argument() {
    isolated(|_| {
        inner(1.into(), 3);
        drop(invalidate!(tag = "one:2"));
        assert!(!entry!(inner(1.into(), 3)).contains());
    });
}

#[test]
fn a_condition_on_the_value_uses_self() {
    isolated(|cache| {
        let limits = Limits { length: 3 };
        for text in ["abc", "abcd"] {
            limits.method(text);
            limits.spoken(text);
        }
        assert_eq!(cache.len(), 2);
        let limits = std::sync::Arc::new(limits);
        let entry = || entry!(limits.clone().shared("abcd".into()));
        futures::executor::block_on(async {
            limits.clone().shared("abcd".into()).await;
            assert!(entry().contains().await);
            drop(invalidate!(tag = "7"));
            assert!(!entry().contains().await);
        });
    });
}

#[test]
fn an_argument_that_only_options_use_is_used() {
    isolated(|cache| {
        assert_eq!(only_in_options(1, "a", false, false), 7);
        assert_eq!(only_in_options(1, "a", true, false), 7);
        assert_eq!(only_in_options(1, "a", false, true), 7);
        assert_eq!((cache.stats().bypassed, cache.stats().refreshed), (1, 1));
    });
}

/// Names that the expansion uses too.
#[cached(key_prefix = "p:{plan}:{mode}", tags("{missing}"), unless = b == 1, cache_if = |v| *v != plan)]
fn named(plan: u64, mode: u64, missing: u64, b: u64) -> u64 {
    plan + mode + missing + b
}

#[cached(batch = ids, key_prefix = "p:{plan}")]
fn named_batch(ids: &[u64], missing: u64, plan: u64) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, missing + plan)).collect()
}

#[test]
fn an_argument_may_have_any_name() {
    isolated(|cache| {
        assert_eq!((named(1, 2, 3, 4), named(1, 2, 3, 4)), (10, 10));
        assert_eq!(named_batch(&[1], 2, 3)[&1], 5);
        assert_eq!(cache.stats().hits, 1);
        assert_eq!(named(5, 0, 0, 0), 5);
        assert_eq!(cache.len(), 2);
        drop(invalidate!(prefix = "p:1:2"));
        assert!(!entry!(named(1, 2, 3, 4)).contains());
    });
}

#[test]
fn an_argument_whose_type_has_no_name_may_be_used_in_a_closure() {
    isolated(|cache| {
        assert_eq!(opaque(5, &"7".to_owned()), 5);
        assert_eq!(cache.len(), 0, "5 is less than 7");
        assert_eq!((opaque(8, &"7".to_owned()), cache.len()), (8, 1));
    });
    isolated(|cache| {
        opaque_inside(1, &["a", "b"]);
        opaque_inside(2, &["c".to_owned()]);
        invalidate!(tag = "a:2").wait().unwrap();
        assert_eq!(cache.sweep(), 0, "1 + 2 is 3");
        invalidate!(tag = "b:3").wait().unwrap();
        assert_eq!((cache.sweep(), cache.len()), (1, 1));
    });
}
