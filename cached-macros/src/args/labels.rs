//! `prefix = "..."`, `tag = "..."`, `pattern = "..."` and `cache = ...` in an invalidation.

use syn::{Error, Expr, Ident, Result};

use super::given::text;
use super::split::describe;
use super::{several, template, value};
use crate::model::{CacheRef, Named, Target};
use crate::words;

const NAMES: [&str; 4] = ["prefix", "tag", "pattern", "cache"];

/// How a word is used.
pub(super) fn example(name: &str) -> &'static str {
    match name {
        "prefix" => "prefix = \"user:{id}\"",
        "tag" => "tag = \"org:{id}\"",
        "pattern" => "pattern = \"product_*\"",
        _ => "cache = SESSIONS",
    }
}

/// What a word other than `cache` stands for.
pub(super) fn target(name: &Ident, expr: &Expr) -> Result<Target> {
    let word = name.to_string();
    let target = match word.as_str() {
        "prefix" => Target::Prefix,
        "tag" => Target::Tag,
        "pattern" => Target::Pattern,
        _ => return Err(Error::new(name.span(), unknown(&word))),
    };
    let literal = text(expr).ok_or_else(|| {
        let message = format!(
            "`{word}` takes a string literal, not {}; write values in braces, which escapes them, \
             as in `{}`, or use `Cache::invalidation` for a text made elsewhere",
            describe(expr),
            example(&word)
        );
        Error::new_spanned(expr, message)
    })?;
    if word == "tag" {
        let value = several::tag(literal)?;
        return Ok(target(Named::new(name.span(), value)));
    }
    if literal.value().trim_matches(':').is_empty() {
        let message =
            format!("an empty {word} would mean everything; write `all` if that is meant");
        return Err(Error::new(literal.span(), message));
    }
    Ok(target(Named::new(name.span(), template::parse(literal)?)))
}

/// The cache that `cache = ...` names.
pub(super) fn cache(expr: &Expr) -> Result<CacheRef> {
    value::cache_ref(expr).unwrap_or_else(|| {
        let message = format!(
            "`cache` takes a path to a cache or its name, not {}; write `cache = SESSIONS`",
            describe(expr)
        );
        Err(Error::new_spanned(expr, message))
    })
}

fn unknown(name: &str) -> String {
    let near = match name {
        "soft" | "all" | "always" | "before" => {
            return format!("`{name}` takes no value; write `{name}`");
        }
        "key_prefix" | "namespace" => Some("prefix"),
        "tags" | "group" | "label" => Some("tag"),
        "glob" | "regex" | "matching" => Some("pattern"),
        _ => words::nearest(name, NAMES),
    };
    match near {
        Some(near) => format!("unknown word `{name}`; did you mean `{near}`?"),
        None => format!(
            "unknown word `{name}`; the words are {}",
            words::list(NAMES)
        ),
    }
}

/// Whether the name is one of these words.
pub(super) fn is_label(name: &Ident) -> bool {
    NAMES.iter().any(|word| name == word)
}
