//! `"user:{id}:posts"`: prefixes, tags and patterns.

use std::iter::Peekable;
use std::str::Chars;

use proc_macro2::Span;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::{Error, Expr, Ident, Index, LitStr, Result};

use crate::model::{Piece, Template};
use crate::words;

/// Reads a literal. Whether the names in braces exist is looked at later, where the arguments are
/// known.
pub(crate) fn parse(literal: &LitStr) -> Result<Template> {
    let text = literal.value();
    let mut pieces = Pieces {
        span: literal.span(),
        done: Vec::new(),
        text: String::new(),
    };
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '{' | '}' if rest.next_if_eq(&letter).is_some() => pieces.text.push(letter),
            '{' => pieces.value(&mut rest)?,
            '}' => {
                return Err(pieces.error("`}` closes nothing here; write `}}` for the character"));
            }
            _ if letter.is_control() => {
                let shown = letter.escape_default();
                return Err(pieces.error(format!(
                    "control characters such as `{shown}` cannot stand here; write visible text"
                )));
            }
            _ => pieces.text.push(letter),
        }
    }
    pieces.end_text();
    Ok(Template {
        span: literal.span(),
        pieces: pieces.done,
    })
}

struct Pieces {
    span: Span,
    done: Vec<Piece>,
    text: String,
}

impl Pieces {
    fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::new(self.span, message)
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.done.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }

    /// What stands between `{`, just passed, and the next `}`.
    fn value(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<()> {
        let mut inside = String::new();
        loop {
            match rest.next() {
                Some('}') => break,
                Some(letter) if letter != '{' => inside.push(letter),
                _ => {
                    return Err(self.error(format!(
                        "`{{{inside}` is never closed; write `}}` behind the name, or `{{{{` for \
                         the character"
                    )));
                }
            }
        }
        let value = self.path(inside.trim())?;
        self.end_text();
        self.done.push(value);
        Ok(())
    }

    /// `id`, `user.org.0`, `self.tenant`.
    fn path(&self, inside: &str) -> Result<Piece> {
        let mut parts = inside.split('.').map(str::trim);
        let root = parts.next().unwrap_or_default();
        let Some(ident) = name(root, self.span) else {
            return Err(self.error(misused(inside)));
        };
        let mut expr: Expr = syn::parse2(quote!(#ident))?;
        for part in parts {
            expr = match (part.parse::<u32>(), name(part, self.span)) {
                (Ok(index), _) => {
                    let index = Index {
                        index,
                        span: self.span,
                    };
                    syn::parse2(quote!(#expr.#index))?
                }
                (_, Some(field)) => syn::parse2(quote!(#expr.#field))?,
                _ => return Err(self.error(misused(inside))),
            };
        }
        Ok(Piece::Value {
            root: words::plain(root),
            expr,
        })
    }
}

/// An identifier; a keyword stands for the raw one, as in `format!`.
fn name(text: &str, span: Span) -> Option<Ident> {
    let mut ident = Ident::parse_any.parse_str(text).ok()?;
    ident.set_span(span);
    let plain = syn::parse_str::<Ident>(text).is_ok();
    match text {
        "_" | "Self" | "super" | "crate" => None,
        "self" => Some(ident),
        _ if plain => Some(ident),
        _ => Some(Ident::new_raw(text, span)),
    }
}

/// Why `{inside}` is none of ours.
fn misused(inside: &str) -> String {
    if inside.is_empty() {
        return "`{}` names no argument; write its name, as in `{id}`, or `{{}}` for the characters"
            .to_owned();
    }
    if inside.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("`{{{inside}}}` counts arguments; write the name of one, as in `{{id}}`");
    }
    let (before, format) = inside.split_once(':').unwrap_or((inside, ""));
    if !format.starts_with(':') && inside.contains(':') {
        return format!(
            "`{{{inside}}}` asks for a format, and values have one only; write `{{{before}}}`"
        );
    }
    format!(
        "`{{{inside}}}` is an expression; only an argument and its fields can stand in braces, as \
         in `{{user.id}}`"
    )
}
