//! The model → code.
//!
//! One annotated function becomes one call into `__private`, and a companion through which
//! `invalidate!` and `entry!` reach the same key. The companion of a free function is a struct, and
//! the function's own name stands for it among the types (the names of types and of functions do
//! not meet, and `use` brings both); that of a method is a set of hidden sibling methods; a method of a trait can have none.
//!
//! The user's body stands in a function of its own, so no generated name is in scope there, and so
//! that the compiler can tell whether its future is `Send` while it looks at the caller.

mod batch;
mod capture;
mod entry;
mod function;
mod invalidate;
mod names;
mod parts;
mod patterns;
mod plan;
mod policy;
#[cfg(test)]
mod snapshots;
mod stats;
mod typed;
mod view;

pub(crate) use capture::uses;
pub(crate) use entry::entry;
pub(crate) use function::cached;
pub(crate) use invalidate::{invalidate, invalidates};
pub(crate) use stats::stats;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use crate::model::{Piece, Template};

/// A template as a `Label`.
fn label(template: &Template) -> TokenStream {
    if let [Piece::Text(text)] = template.pieces.as_slice() {
        return quote!(::dewar::__private::Label::fixed(#text));
    }
    let pieces = pieces(template);
    quote!(::dewar::__private::Label::new() #pieces)
}

/// A template as a URL.
fn url_text(template: &Template) -> TokenStream {
    let pieces = pieces(template);
    quote!(::dewar::__private::UrlText::new() #pieces)
}

fn pieces(template: &Template) -> TokenStream {
    let pieces = template.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => quote!(.text(#text)),
        Piece::Value { expr, .. } => quote_spanned!(template.span=> .value(&#expr)),
    });
    pieces.collect()
}

/// Nothing, or something that can be written out.
fn optional<T>(value: &Option<T>, write: impl Fn(&T) -> TokenStream) -> TokenStream {
    value.as_ref().map_or_else(TokenStream::new, write)
}

/// The text of tokens, for comparing expressions.
fn text(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}
