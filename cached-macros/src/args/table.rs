//! The one table of all options of `#[cached]`.

use syn::{Error, Expr, ExprClosure, Result};

use super::split::{Given, describe};
use super::{query, several, share, stale, value, view};
use crate::diag::Diag;
use crate::model::{Context, Named, Options};

/// An option: its name, how it is used, and where its value goes.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) example: &'static str,
    pub(super) read: fn(&Given, &mut Options, &mut Diag),
}

macro_rules! table {
    ($($name:literal, $example:literal, $read:expr;)*) => {
        &[$(Row { name: $name, example: $example, read: $read }),*]
    };
}

pub(super) const OPTIONS: &[Row] = table! {
    "timeout", "timeout = 60",
        |given, o, diag| o.timeout = given.named(diag, value::timeout);
    "idle_timeout", "idle_timeout = \"5m\"",
        |given, o, diag| o.idle_timeout = given.named(diag, value::duration);
    "key_prefix", "key_prefix = \"user:{id}\"",
        |given, o, diag| o.key_prefix = given.named(diag, value::prefix);
    "key", "key = (id, org)",
        |given, o, diag| o.key = given.named(diag, value::key);
    "skip", "skip(db)", several::skip;
    "tags", "tags(\"users\")", several::tags;
    "cache", "cache = SESSIONS",
        |given, o, diag| o.cache = given.named(diag, value::cache);
    "unless", "unless = id == 0",
        |given, o, diag| o.unless = given.named(diag, value::condition);
    "refresh_if", "refresh_if = force",
        |given, o, diag| o.refresh_if = given.named(diag, value::condition);
    "stale_if", "stale_if = |value| value.is_empty()",
        |given, o, diag| o.stale_if = given.named(diag, closure);
    "cache_if", "cache_if = |value| !value.is_empty()",
        |given, o, diag| o.cache_if = given.named(diag, closure);
    "cache_none", "cache_none",
        |given, o, diag| o.cache_none = flatten(given.named(diag, value::negative));
    "cache_err", "cache_err = \"5s\"",
        |given, o, diag| o.cache_err = flatten(given.named(diag, value::negative));
    "stale_while_revalidate", "stale_while_revalidate = \"1m\"",
        |given, o, diag| o.stale_while_revalidate = given.named(diag, value::duration);
    "stale_if_error", "stale_if_error = \"1h\"",
        |given, o, diag| o.stale_if_error = stale::read(given, diag);
    "refresh_ahead", "refresh_ahead = 0.8",
        |given, o, diag| o.refresh_ahead = given.named(diag, share::fraction);
    "soft_timeout", "soft_timeout = \"200ms\"",
        |given, o, diag| o.soft_timeout = given.named(diag, value::duration);
    "hard_timeout", "hard_timeout = \"2s\"",
        |given, o, diag| o.hard_timeout = given.named(diag, value::duration);
    "jitter", "jitter = \"10%\"",
        |given, o, diag| o.jitter = given.named(diag, share::jitter);
    "single_flight", "single_flight = false",
        |given, o, diag| o.single_flight = given.named(diag, value::single_flight);
    "detach", "detach = false",
        |given, o, diag| o.detach = given.named(diag, Given::flag);
    "batch", "batch = ids",
        |given, o, diag| o.batch = given.named(diag, |it| value::name(it, "the name of an argument"));
    "version", "version = 2",
        |given, o, diag| o.version = given.named(diag, value::version);
    "local", "local",
        |given, o, diag| o.local = given.named(diag, Given::flag).filter(|it| it.value).map(|it| it.name);
    "shared", "shared",
        |given, o, diag| o.shared = given.named(diag, Given::flag).filter(|it| it.value).map(|it| it.name);
    "view", "view",
        |given, o, diag| o.view = given.named(diag, Given::flag).filter(|it| it.value).map(|it| it.name);
    "methods", "methods(\"GET\", \"HEAD\")",
        |given, o, diag| o.of_view.head = view::methods(given, diag);
    "statuses", "statuses(200, 404)",
        |given, o, diag| o.of_view.statuses = view::statuses(given, diag);
    "query", "query(sorted, ignore(\"utm_*\"))",
        |given, o, diag| o.of_view.query = query::read(given, diag);
    "vary", "vary(\"accept-language\")",
        |given, o, diag| o.of_view.vary = view::vary(given, diag);
    "cookies", "cookies = ignored",
        |given, o, diag| o.of_view.cookies = given.named(diag, view::credentials);
    "authorization", "authorization = keyed",
        |given, o, diag| o.of_view.authorization = given.named(diag, view::credentials);
    "host", "host = false",
        |given, o, diag| o.of_view.host = given.named(diag, Given::flag);
    "body_limit", "body_limit = \"64 KiB\"",
        |given, o, diag| o.of_view.body_limit = given.named(diag, view::size);
    "cache_control", "cache_control = \"public, max-age=60\"",
        |given, o, diag| o.of_view.cache_control = given.named(diag, view::cache_control);
    "etag", "etag = false",
        |given, o, diag| o.of_view.etag = given.named(diag, view::etag);
    "last_modified", "last_modified = false",
        |given, o, diag| o.of_view.last_modified = given.named(diag, Given::flag);
    "companion", "companion = name",
        |given, o, diag| o.companion = given.named(diag, |it| value::name(it, "a name"));
    "in_impl", "in_impl", |given, o, diag| {
        let plain = Context::Impl { generic: false };
        o.context = given.named(diag, |it| value::context(it, plain));
    };
    "in_trait", "in_trait", |given, o, diag| {
        o.context = given.named(diag, |it| value::context(it, Context::Trait));
    };
};

/// Options that only an axum view has.
pub(crate) const VIEW_OPTIONS: &[&str] = &[
    "methods",
    "statuses",
    "query",
    "vary",
    "cookies",
    "authorization",
    "host",
    "body_limit",
    "cache_control",
    "etag",
    "last_modified",
];

fn flatten<T>(named: Option<Named<Option<T>>>) -> Option<Named<T>> {
    let Named { name, value } = named?;
    value.map(|value| Named::new(name, value))
}

/// `stale_if`, `cache_if`: a path to a function gets the closure that calls it suggested.
fn closure(given: &Given) -> Result<ExprClosure> {
    let expr = given.assigned()?;
    if let Expr::Path(_) = expr {
        let (name, found) = (&given.name, describe(expr));
        let function = found.trim_matches('`');
        let message = format!(
            "`{name}` takes a closure on the value, not {found}; write `{name} = |value| \
             {function}(value)`"
        );
        return Err(Error::new_spanned(expr, message));
    }
    given.closure(expr, "a closure on the value")
}
