//! `"user:{id}:posts"`: text with arguments in braces.

use proc_macro2::Span;
use syn::Expr;

/// A prefix, tag or pattern as it was written.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) span: Span,
    pub(crate) pieces: Vec<Piece>,
}

/// One part of a [`Template`].
#[derive(Clone)]
pub(crate) enum Piece {
    /// Text as written, `{{` and `}}` already made single.
    Text(String),
    /// `{id}`, `{user.id}`, `{self.tenant}`, `{pair.0}`: a path of fields that starts at an
    /// argument. Every token carries the literal's span.
    Value { root: String, expr: Expr },
}
