//! `query`, the option with options of its own.

use syn::{Error, Expr, LitStr, Result};

use super::given::text;
use super::split::{Given, Part, Value, parts};
use super::view::values;
use crate::diag::Diag;
use crate::model::{Named, Query};
use crate::words;

const NAMES: [&str; 3] = ["sorted", "only", "ignore"];

/// `query(sorted, only("page"), ignore("utm_*"))`.
pub(super) fn read(given: &Given, diag: &mut Diag) -> Option<Named<Query>> {
    let list = given.named(diag, Given::list)?;
    let mut query = Query::default();
    let mut seen: Vec<String> = Vec::new();
    for part in parts(list.value, diag) {
        let mut rule = match part {
            Part::Named(rule) => rule,
            Part::Positional(expr) => {
                let message = "`query` says which parameters count; write `query(only(\"page\"))` or \
                               `query(ignore(\"utm_*\"))`";
                diag.on(&expr, message);
                continue;
            }
        };
        let name = rule.name.to_string();
        if seen.contains(&name) {
            let message = format!("`{name}` is written twice; keep one of them");
            diag.at(rule.name.span(), message);
            continue;
        }
        match name.as_str() {
            "sorted" if matches!(rule.value, Value::Bare) => query.sorted = true,
            "sorted" => diag.at(
                rule.name.span(),
                "`sorted` takes no value; write `query(sorted)`",
            ),
            "only" => {
                rule.example = "only(\"page\")";
                query.only = names(&rule, diag);
            }
            "ignore" => {
                rule.example = "ignore(\"utm_*\")";
                query.ignore = names(&rule, diag).unwrap_or_default();
            }
            _ => diag.at(rule.name.span(), unknown(&name)),
        }
        seen.push(name);
    }
    Some(Named::new(list.name, query))
}

fn names(rule: &Given, diag: &mut Diag) -> Option<Vec<LitStr>> {
    let what = "names of parameters as text";
    let read = |expr: &Expr| -> Result<LitStr> {
        let name = text(expr).ok_or_else(|| rule.expected(expr, what))?;
        let inner = name.value();
        let stars = inner.trim_end_matches('*');
        if stars.contains('*') || inner.len() > stars.len() + 1 {
            let message = format!(
                "`*` stands for any rest, at the end of a name; `{inner}` has it elsewhere"
            );
            return Err(Error::new_spanned(expr, message));
        }
        if inner.is_empty() {
            return Err(rule.expected(expr, what));
        }
        Ok(name.clone())
    };
    Some(values(rule, diag, what, read)?.value)
}

fn unknown(name: &str) -> String {
    match words::nearest(name, NAMES) {
        Some(near) => format!("unknown word `{name}` in `query`; did you mean `{near}`?"),
        None => format!(
            "unknown word `{name}` in `query`; it takes {}",
            words::list(NAMES)
        ),
    }
}
