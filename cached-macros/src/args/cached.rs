//! `#[cached(...)]`.

use proc_macro2::{Span, TokenStream};
use syn::{Expr, Lit};

use super::elsewhere;
use super::split::{Given, Part, bare, describe, parts};
use super::table::{OPTIONS, Row, VIEW_OPTIONS};
use super::time;
use crate::diag::Diag;
use crate::model::Options;
use crate::words;

/// What an attribute says, and which options it names: also those whose values were wrong, so
/// that nothing is reported as missing that was only misspelt.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) options: Options,
    pub(crate) seen: Seen,
}

/// The names of the options that were written, and where.
#[derive(Default)]
pub(crate) struct Seen(Vec<(&'static str, Span)>);

impl Seen {
    /// Where the option stands, if it does.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.0
            .iter()
            .find(|(seen, _)| *seen == name)
            .map(|(_, span)| *span)
    }

    /// Whether the option was written.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.span(name).is_some()
    }
}

/// Reads the whole attribute.
pub(crate) fn cached(tokens: TokenStream, diag: &mut Diag) -> Written {
    let mut written = Written::default();
    for part in parts(tokens, diag) {
        match part {
            Part::Positional(expr) => diag.on(&expr, positional(&expr)),
            Part::Named(given) => match row(&given) {
                Some(row) => written.take(given, row, diag),
                None => diag.at(given.name.span(), unknown(&given.name.to_string())),
            },
        }
    }
    written
}

impl Written {
    fn take(&mut self, mut given: Given, row: &Row, diag: &mut Diag) {
        if self.seen.has(row.name) {
            let message = format!("`{0}` is written twice; {1}", row.name, repeated(row.name));
            diag.at(given.name.span(), message);
            return;
        }
        self.seen.0.push((row.name, given.name.span()));
        given.example = row.example;
        (row.read)(&given, &mut self.options, diag);
    }
}

fn row(given: &Given) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| given.name == row.name)
}

fn repeated(name: &str) -> String {
    match name {
        "skip" | "tags" => format!("put everything into one `{name}(...)`"),
        _ => "keep one of them".to_owned(),
    }
}

fn unknown(name: &str) -> String {
    if let Some(advice) = elsewhere::advice(name) {
        return format!("unknown option `{name}`; {advice}");
    }
    let names = || OPTIONS.iter().map(|row| row.name);
    match words::nearest(name, names()) {
        Some(near) => format!("unknown option `{name}`; did you mean `{near}`?"),
        None => {
            let available = names().filter(|name| !VIEW_OPTIONS.contains(name));
            format!(
                "unknown option `{name}`; the options are {}",
                words::list(available)
            )
        }
    }
}

/// A value without a name.
fn positional(expr: &Expr) -> String {
    let found = describe(expr);
    let meant = match bare(expr) {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(_) | Lit::Float(_) => Some(format!("timeout = {}", found.trim_matches('`'))),
            Lit::Str(text) if time::parse(&text.value()).is_ok() => {
                Some(format!("timeout = {}", found.trim_matches('`')))
            }
            Lit::Str(_) => Some(format!("key_prefix = {}", found.trim_matches('`'))),
            _ => None,
        },
        _ => None,
    };
    match meant {
        Some(meant) => format!("{found} has no name; write `{meant}`"),
        None => format!("expected an option such as `timeout = 60`, not {found}"),
    }
}
