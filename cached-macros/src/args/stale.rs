//! `stale_if_error`, the option with options of its own.

use super::split::{Given, Part, Value, parts};
use super::value;
use crate::diag::Diag;
use crate::model::{Named, StaleIfError};
use crate::words;

/// `stale_if_error = "1h"` or `stale_if_error("1h", retry = "5s", only = |error| ...)`.
pub(super) fn read(given: &Given, diag: &mut Diag) -> Option<Named<StaleIfError>> {
    if !matches!(given.value, Value::List(_)) {
        let window = given.named(diag, value::duration)?;
        let value = StaleIfError {
            window: window.value,
            retry: None,
            only: None,
        };
        return Some(Named {
            name: window.name,
            value,
        });
    }
    let list = given.named(diag, Given::list)?;
    let (mut window, mut retry, mut only) = (None, None, None);
    let mut parts = parts(list.value, diag).into_iter().peekable();
    match parts.next_if(|part| matches!(part, Part::Positional(_))) {
        Some(Part::Positional(expr)) => window = diag.take(value::fixed(given, &expr)),
        _ => diag.at(
            list.name,
            "`stale_if_error` needs its time first; write `stale_if_error(\"1h\", retry = \"5s\")`",
        ),
    }
    for part in parts {
        match part {
            Part::Named(mut part) if part.name == "retry" => {
                part.example = "retry = \"5s\"";
                retry = part.named(diag, value::duration);
            }
            Part::Named(mut part) if part.name == "only" => {
                part.example = "only = |error| error.is_timeout()";
                let read = |part: &Given| part.closure(part.assigned()?, "a closure on the error");
                only = part.named(diag, read);
            }
            Part::Named(part) => diag.at(part.name.span(), unknown(&part.name.to_string())),
            Part::Positional(expr) => {
                diag.on(
                    &expr,
                    "`stale_if_error` takes one time; name the other: `retry = \"5s\"`",
                );
            }
        }
    }
    let (retry, only) = (retry.map(|it| it.value), only.map(|it| it.value));
    let value = StaleIfError {
        window: window?,
        retry,
        only,
    };
    Some(Named {
        name: list.name,
        value,
    })
}

fn unknown(name: &str) -> String {
    match words::nearest(name, ["retry", "only"]) {
        Some(near) => {
            format!("unknown option `{name}` of `stale_if_error`; did you mean `{near}`?")
        }
        None => format!("unknown option `{name}` of `stale_if_error`; it has `retry` and `only`"),
    }
}
