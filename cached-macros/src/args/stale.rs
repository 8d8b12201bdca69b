//! `stale_if_error`, the option with options of its own.

use proc_macro2::Span;

use super::split::{Given, Part, Value, parts};
use super::value;
use crate::diag::Diag;
use crate::model::{Named, StaleIfError};
use crate::words;

/// `stale_if_error = "1h"` or `stale_if_error("1h", retry = "5s", only = |error| ...)`.
pub(super) fn read(given: &Given, diag: &mut Diag) -> Option<Named<StaleIfError>> {
    let (window, rest) = match &given.value {
        Value::List(_) => window(given, diag),
        _ => {
            let window = given.named(diag, value::duration);
            (window.map(|it| it.value), Vec::new())
        }
    };
    let mut stale = StaleIfError {
        window: 0,
        retry: None,
        only: None,
    };
    for part in rest {
        option(part, &mut stale, diag);
    }
    stale.window = window?;
    Some(Named::new(given.name.span(), stale))
}

/// The time that stands first, and the parts behind it.
fn window(given: &Given, diag: &mut Diag) -> (Option<u64>, Vec<Part>) {
    let Some(list) = given.named(diag, Given::list) else {
        return (None, Vec::new());
    };
    let mut parts = parts(list.value, diag);
    if let Some(Part::Positional(expr)) = parts.first() {
        let window = diag.take(value::fixed(given, expr));
        parts.remove(0);
        return (window, parts);
    }
    diag.at(
        given.name.span(),
        "`stale_if_error` needs its time first; write `stale_if_error(\"1h\", retry = \"5s\")`",
    );
    (None, parts)
}

/// `retry` or `only`.
fn option(part: Part, stale: &mut StaleIfError, diag: &mut Diag) {
    let mut given = match part {
        Part::Named(given) => given,
        Part::Positional(expr) => {
            let message = "`stale_if_error` takes one time; name the other: `retry = \"5s\"`";
            return diag.on(&expr, message);
        }
    };
    let span = given.name.span();
    match given.name.to_string().as_str() {
        "retry" if stale.retry.is_none() => {
            given.example = "retry = \"5s\"";
            stale.retry = given.named(diag, value::duration).map(|it| it.value);
        }
        "only" if stale.only.is_none() => {
            given.example = "only = |error| error.is_timeout()";
            let read = |it: &Given| it.closure(it.assigned()?, "a closure on the error");
            stale.only = given.named(diag, read).map(|it| it.value);
        }
        name @ ("retry" | "only") => repeated(name, span, diag),
        name => diag.at(span, unknown(name)),
    }
}

fn repeated(name: &str, span: Span, diag: &mut Diag) {
    diag.at(span, format!("`{name}` is written twice; keep one of them"));
}

fn unknown(name: &str) -> String {
    match words::nearest(name, ["retry", "only"]) {
        Some(near) => {
            format!("unknown option `{name}` of `stale_if_error`; did you mean `{near}`?")
        }
        None => format!("unknown option `{name}` of `stale_if_error`; it has `retry` and `only`"),
    }
}
