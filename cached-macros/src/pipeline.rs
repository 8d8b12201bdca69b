//! From tokens to tokens: parse, check, expand. Mistakes stop the way before the last step.

use proc_macro2::TokenStream;

use crate::diag::Diag;
use crate::{args, check, context, expand};

/// `#[cached(...)]`.
pub(crate) fn cached(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let written = args::cached(args, &mut diag);
    let Some(function) = check::function(&item, "cached", &mut diag) else {
        return diag.beside(item);
    };
    let context = context::of(&function, &written.options);
    check::cached(&written, &function, context, &mut diag);
    if diag.is_clean() {
        expand::cached(&written.options, context, &function)
    } else {
        diag.beside(item)
    }
}

/// `#[invalidates(...)]`.
pub(crate) fn invalidates(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let invalidates = args::invalidates(args, &mut diag);
    let Some(function) = check::function(&item, "invalidates", &mut diag) else {
        return diag.beside(item);
    };
    check::invalidates(&invalidates, &function, &mut diag);
    if diag.is_clean() {
        expand::invalidates(&invalidates, &function)
    } else {
        diag.beside(item)
    }
}

/// `invalidate!(...)`.
pub(crate) fn invalidate(args: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let invalidation = args::invalidate(args, &mut diag);
    if diag.is_clean() {
        expand::invalidate(&invalidation)
    } else {
        diag.in_place()
    }
}

/// `entry!(...)`.
pub(crate) fn entry(args: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    match args::entry(args, &mut diag) {
        Some(target) if diag.is_clean() => expand::entry(&target),
        _ => diag.in_place(),
    }
}

/// `stats!(...)`.
pub(crate) fn stats(args: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    match args::stats(args, &mut diag) {
        Some(path) if diag.is_clean() => expand::stats(&path),
        _ => diag.in_place(),
    }
}
