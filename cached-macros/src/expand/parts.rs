//! What counts for the key.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Expr, Lifetime, ReceiverKind};

use super::capture::mentions;
use super::names::{Function, mentions_impl};
use super::{text, typed};
use crate::model::{Options, Piece, Skipped};

/// The parts of the key as nested pairs.
///
/// With `batch`, the argument that holds many keys stands for one of them.
pub(crate) fn parts(options: &Options, function: &Function<'_>) -> TokenStream {
    let mut parts = Vec::new();
    if let Some(version) = &options.version {
        let version = &version.value;
        parts.push(part(&quote!((#version)), version.span()));
    }
    match &options.key {
        Some(key) => parts.extend(key.value.iter().map(|expr| chosen(function, expr))),
        None => parts.extend(arguments(options, function)),
    }
    parts.extend(uncovered(options, function));
    parts
        .into_iter()
        .rfold(quote!(()), |rest, part| quote!((#part, #rest)))
}

/// Every argument that is not skipped.
fn arguments(options: &Options, function: &Function<'_>) -> Vec<TokenStream> {
    let mut parts = Vec::new();
    if let Some(receiver) = function.receiver
        && !skips(options, "self")
    {
        let span = receiver.self_token.span;
        let this = match receiver.kind {
            ReceiverKind::Value => quote_spanned!(span=> self),
            _ => quote_spanned!(span=> *self),
        };
        parts.push(part(&this, span));
    }
    for (name, ty) in &function.arguments {
        if skips(options, &name.to_string()) {
            continue;
        }
        let batch = options.batch.as_ref();
        let one = batch.is_some_and(|batch| batch.value == *name);
        parts.push(match one {
            // The name stands for a reference to one of the keys.
            true => typed::one(name, ty),
            false => typed::argument(name, ty),
        });
    }
    parts
}

/// One of the expressions of `key`.
fn chosen(function: &Function<'_>, expr: &Expr) -> TokenStream {
    let named = |(name, _): &&(_, _)| text(name) == text(expr);
    match function.arguments.iter().find(named) {
        Some((_, ty)) => typed::expression(&quote!(#expr), expr.span(), ty),
        None => part(&quote!((#expr)), expr.span()),
    }
}

/// Values that a prefix or a tag names without their being part of the key otherwise: two calls
/// that differ in them must not share an entry, or invalidating by the one would miss the other.
fn uncovered(options: &Options, function: &Function<'_>) -> Vec<TokenStream> {
    let mut seen = HashSet::new();
    values(options)
        .filter(|(root, expr, _)| !covered(options, function, root, expr))
        .filter(|(_, expr, _)| seen.insert(text(expr)))
        .map(|(_, expr, span)| part(&quote!(#expr), span))
        .collect()
}

/// The values that prefix and tags name: the argument, the expression, and where it stands.
pub(super) fn values(options: &Options) -> impl Iterator<Item = (&String, &Expr, Span)> {
    let templates = options.key_prefix.iter().chain(&options.tags);
    templates.flat_map(|template| {
        let pieces = template.value.pieces.iter();
        pieces.filter_map(|piece| match piece {
            Piece::Value { root, expr } => Some((root, expr, template.value.span)),
            Piece::Text(_) => None,
        })
    })
}

fn covered(options: &Options, function: &Function<'_>, root: &str, expr: &Expr) -> bool {
    match &options.key {
        Some(key) => key
            .value
            .iter()
            .any(|key| text(key) == text(expr) || text(key) == *root),
        None => {
            let known = root == "self" || function.arguments.iter().any(|(name, _)| name == root);
            known && !skips(options, root)
        }
    }
}

/// Whether `skip(…)` names the argument.
pub(crate) fn skips(options: &Options, name: &str) -> bool {
    options.skip.iter().any(|skipped| match &skipped.value {
        Skipped::Receiver(_) => name == "self",
        Skipped::Argument(argument) => argument == name,
    })
}

/// A value whose type is not written where the macro could see it.
fn part(value: &TokenStream, span: Span) -> TokenStream {
    // The reference carries the span too: a missing bound is reported on the argument.
    quote_spanned!(span=> ::dewar::__private::arg(&#value).part())
}

/// Whether the result type holds references, `'static` ones included.
pub(crate) fn borrows(output: &syn::ReturnType) -> bool {
    struct Find(bool);
    impl Visit<'_> for Find {
        fn visit_type_reference(&mut self, _: &syn::TypeReference) {
            self.0 = true;
        }

        fn visit_lifetime(&mut self, _: &Lifetime) {
            self.0 = true;
        }
    }
    let mut find = Find(false);
    find.visit_return_type(output);
    find.0
}

/// The arguments with the skipped ones open to anything, for `f(_, 42)`; none where nothing is
/// skipped. An argument that an option works with keeps its type, and so does `impl Trait`, whose type
/// tells instantiations apart whether its value counts or not.
pub(crate) fn open_inputs(options: &Options, function: &Function<'_>) -> Option<TokenStream> {
    let plan = super::plan::plan(options, function);
    let open =
        |name: &str, ty| skips(options, name) && !mentions(&plan, name) && !mentions_impl(ty);
    if !function
        .arguments
        .iter()
        .any(|(name, ty)| open(&name.to_string(), ty))
    {
        return None;
    }
    let receiver = function.receiver.map(|this| quote!(#this,));
    let inputs = function
        .arguments
        .iter()
        .map(|(name, ty)| match open(&name.to_string(), ty) {
            true => quote!(_: impl Sized),
            false => quote!(#name: #ty),
        });
    Some(quote!(#receiver #(#inputs),*))
}
