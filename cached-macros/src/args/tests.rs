use proc_macro2::TokenStream;
use quote::ToTokens;

use super::time::{Mistake, parse};
use super::{cached, entry, invalidate, invalidates};
use crate::diag::Diag;
use crate::model::{
    Argument, CacheRef, Context, Jitter, Negative, Options, Piece, SingleFlight, Skipped, Target,
    Template, Time,
};

const SECOND: u64 = 1_000_000_000;

fn clean<T>(text: &str, read: impl Fn(TokenStream, &mut Diag) -> T) -> T {
    let mut diag = Diag::default();
    let value = read(text.parse().unwrap(), &mut diag);
    assert_eq!(diag.messages(), [""; 0], "{text}");
    value
}

fn options(text: &str) -> Options {
    clean(text, cached).options
}

fn timeout(text: &str) -> Time {
    options(&format!("timeout = {text}")).timeout.unwrap().value
}

/// `user:<id>:posts`.
fn shown(template: &Template) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value { root, expr } => {
            format!(
                "<{root}|{}>",
                expr.to_token_stream().to_string().replace(' ', "")
            )
        }
    };
    template.pieces.iter().map(piece).collect()
}

#[test]
fn times_are_read_to_the_nanosecond() {
    for (text, nanos) in [
        ("1ns", 1),
        ("2us", 2_000),
        ("2µs", 2_000),
        ("250ms", 250_000_000),
        ("1m 30s", 90 * SECOND),
        ("1m30s", 90 * SECOND),
        (" 1 m  30 s ", 90 * SECOND),
        ("1.5h", 5_400 * SECOND),
        ("2min", 120 * SECOND),
        ("1d", 86_400 * SECOND),
        ("1w", 604_800 * SECOND),
        ("0.000000001s", 1),
        ("18446744073709551615ns", u64::MAX),
    ] {
        assert_eq!(parse(text), Ok(nanos), "{text}");
    }
    assert_eq!(parse("18446744073709551616ns"), Err(Mistake::TooLong));
    assert_eq!(parse("18446744073709551615ns 1ns"), Err(Mistake::TooLong));
    assert_eq!(parse("0.0000000001s"), Err(Mistake::Zero));
}

#[test]
fn timeout_takes_all_forms() {
    assert!(matches!(timeout("60"), Time::Fixed(n) if n == 60 * SECOND));
    assert!(matches!(timeout("0.5"), Time::Fixed(n) if n == SECOND / 2));
    assert!(matches!(timeout("1_000"), Time::Fixed(n) if n == 1_000 * SECOND));
    assert!(matches!(timeout("24 * (60 * 60) + 1"), Time::Fixed(n) if n == 86_401 * SECOND));
    assert!(matches!(timeout("\"1m 30s\""), Time::Fixed(n) if n == 90 * SECOND));
    assert!(matches!(timeout("never"), Time::Never));
    assert!(matches!(timeout("Duration::from_secs(5)"), Time::Expr(_)));
    assert!(matches!(timeout("TTL * 2"), Time::Expr(_)));
    assert!(matches!(timeout("|v: &T| v.max_age()"), Time::ByValue(_)));
}

#[test]
fn values_inside_invisible_brackets_are_seen() {
    let value = proc_macro2::Group::new(proc_macro2::Delimiter::None, quote::quote!("1m"));
    let written = cached(quote::quote!(timeout = #value), &mut Diag::default());
    assert!(matches!(written.options.timeout.unwrap().value, Time::Fixed(n) if n == 60 * SECOND));
}

#[test]
fn templates_become_pieces() {
    let options = options(
        r#"key_prefix = "a{{:{id}:{ user.org.0 }:{self.x}}}", tags("plain", "{type}"), skip(db, self)"#,
    );
    let prefix = options.key_prefix.unwrap().value;
    assert_eq!(
        shown(&prefix),
        "a{:<id|id>:<user|user.org.0>:<self|self.x>}"
    );
    let tags: Vec<String> = options.tags.iter().map(|tag| shown(&tag.value)).collect();
    assert_eq!(tags, ["plain", "<type|r#type>"]);
    assert!(matches!(&options.skip[0].value, Skipped::Argument(name) if name == "db"));
    assert!(matches!(&options.skip[1].value, Skipped::Receiver(_)));
}

#[test]
fn flags_may_be_written_out() {
    let negative = |text: &str| options(text).cache_none.map(|it| it.value);
    assert!(matches!(negative("cache_none"), Some(Negative::Default)));
    assert!(matches!(
        negative("cache_none = true"),
        Some(Negative::Default)
    ));
    assert!(matches!(negative("cache_none = \"5s\""), Some(Negative::For(n)) if n == 5 * SECOND));
    assert!(negative("cache_none = false").is_none());
    assert!(options("detach").detach.unwrap().value);
    assert!(!options("detach = false").detach.unwrap().value);
    assert!(options("local").local.is_some() && options("local = false").local.is_none());
    let flight = |text: &str| options(text).single_flight.unwrap().value;
    assert!(flight("single_flight = false") == SingleFlight::Off);
    assert!(flight("single_flight") == SingleFlight::Process);
    assert!(flight("single_flight = \"distributed\"") == SingleFlight::Distributed);
}

#[test]
fn shares_are_thousandths() {
    assert_eq!(
        options("refresh_ahead = 0.8").refresh_ahead.unwrap().value,
        800
    );
    assert_eq!(
        options("refresh_ahead = 0.001")
            .refresh_ahead
            .unwrap()
            .value,
        1
    );
    let jitter = |text: &str| options(text).jitter.unwrap().value;
    assert!(matches!(
        jitter("jitter = \"12.5%\""),
        Jitter::PerMille(125)
    ));
    assert!(matches!(jitter("jitter = 5"), Jitter::Fixed(n) if n == 5 * SECOND));
}

#[test]
fn the_rest_lands_where_it_belongs() {
    let options = options(
        "key = (id, user.org), cache = caches::SESSIONS, in_impl(generic), companion = other,
         stale_if_error(\"1h\", retry = 5, only = |e| true), batch = ids, version = 2,
         tags(|v| vec![])",
    );
    assert_eq!(options.key.unwrap().value.len(), 2);
    assert!(matches!(options.cache.unwrap().value, CacheRef::Path(_)));
    assert_eq!(
        options.context.unwrap().value,
        Context::Impl { generic: true }
    );
    assert_eq!(options.companion.unwrap().value, "other");
    let stale = options.stale_if_error.unwrap().value;
    assert_eq!(
        (stale.window, stale.retry),
        (3_600 * SECOND, Some(5 * SECOND))
    );
    assert!(stale.only.is_some() && options.tags_by_value.is_some());
    assert_eq!(options.batch.unwrap().value, "ids");
    assert!(options.version.is_some());
}

#[test]
fn targets_keep_their_order() {
    let found = clean(
        "soft, f(1, _), repo.g::<u8>(2), m::f::<u8>(3), T::<A>::f, tag = \"a\", prefix = \"b\",
         pattern = \"c*\", all, cache = \"x\"",
        invalidate,
    );
    assert!(found.soft && matches!(found.cache, Some(CacheRef::Name(_))));
    let kinds: String = found
        .targets
        .iter()
        .map(|target| match target {
            Target::Call { args, .. } if matches!(args.last(), Some(Argument::Skipped(_))) => '_',
            Target::Call { .. } => 'c',
            Target::MethodCall {
                turbofish: Some(_), ..
            } => 'm',
            Target::MethodCall { .. } => '?',
            Target::Function { .. } => 'f',
            Target::Prefix(_) => 'p',
            Target::Tag(_) => 't',
            Target::Pattern(_) => 'g',
            Target::Url(_) => 'u',
            Target::Path(_) => 'w',
            Target::All(_) => 'a',
        })
        .collect();
    assert_eq!(kinds, "_mcftpga");
    let both = clean("always, before, f(id)", invalidates);
    assert!(both.always && both.before && both.invalidation.targets.len() == 1);
    assert!(matches!(clean("f(1)", entry), Some(Target::Call { .. })));
    assert!(matches!(
        clean("it.f(1)", entry),
        Some(Target::MethodCall { .. })
    ));
}
