//! `prefix = "..."`, `tag = "..."`, `pattern = "..."` and `cache = ...` in an invalidation.

use syn::{Error, Expr, Ident, LitStr, Result};

use super::given::text;
use super::split::describe;
use super::{several, template, value};
use crate::model::{CacheRef, Named, Target};
use crate::words;

const NAMES: [&str; 6] = ["prefix", "tag", "pattern", "url", "path", "cache"];

/// How a word is used.
pub(super) fn example(name: &str) -> &'static str {
    match name {
        "prefix" => "prefix = \"user:{id}\"",
        "tag" => "tag = \"org:{id}\"",
        "pattern" => "pattern = \"product_*\"",
        "url" => "url = \"/products/{id}\"",
        "path" => "path = \"/products\"",
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
        "url" => Target::Url,
        "path" => Target::Path,
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
    if let "url" | "path" = word.as_str() {
        check_url(&word, literal)?;
        return Ok(target(Named::new(name.span(), template::parse(literal)?)));
    }
    if literal.value().trim_matches(':').is_empty() {
        let message =
            format!("an empty {word} would mean everything; write `all` if that is meant");
        return Err(Error::new(literal.span(), message));
    }
    Ok(target(Named::new(name.span(), template::parse(literal)?)))
}

/// A URL begins with its path, or with its scheme; a path has no query.
fn check_url(word: &str, literal: &LitStr) -> Result<()> {
    let text = literal.value();
    let whole = ["http://", "https://"]
        .iter()
        .any(|it| text.starts_with(it));
    let fits = text.starts_with('/') || (whole && word == "url");
    if !fits {
        let message = format!(
            "`{word}` takes what the client asks for, from the root on; write `{}`",
            example(word)
        );
        return Err(Error::new(literal.span(), message));
    }
    if word == "path" && text.contains('?') {
        let message =
            format!("a `path` stands for all its queries; write `url = \"{text}\"` for one");
        return Err(Error::new(literal.span(), message));
    }
    Ok(())
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
