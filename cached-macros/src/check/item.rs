//! Is it a function at all?

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Attribute, Item, ItemFn, TraitItemFn};

use crate::diag::Diag;

/// The annotated function; what else is annotated is a mistake.
pub(crate) fn function(item: &TokenStream, attribute: &str, diag: &mut Diag) -> Option<ItemFn> {
    let broken = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => return Some(function),
        Err(error) => error,
    };
    if let Ok(function) = syn::parse2::<TraitItemFn>(item.clone()) {
        let name = &function.sig.ident;
        let message =
            format!("`{name}` has no body here; put `#[{attribute}]` on it in each `impl`");
        diag.at(name.span(), message);
        return None;
    }
    let Ok(item) = syn::parse2::<Item>(item.clone()) else {
        let message = format!(
            "`#[{attribute}]` goes on a function, and this cannot be read as one: {broken}"
        );
        diag.at(broken.span(), message);
        return None;
    };
    let (span, what, advice) = kind(&item);
    diag.at(
        span,
        format!("`#[{attribute}]` goes on a function, and this is {what}; {advice}"),
    );
    None
}

/// What an item is, where it says so, and where the attribute belongs instead.
fn kind(item: &Item) -> (Span, &'static str, &'static str) {
    let made = "put it on the function that makes the value";
    let inside = "put it on the functions inside, one by one";
    let value = "put it on a function that returns the value";
    match item {
        Item::Impl(it) => (it.impl_token.span, "an `impl` block", inside),
        Item::Trait(it) => (
            it.ident.span(),
            "a trait",
            "put it on the methods of each `impl`",
        ),
        Item::Mod(it) => (it.ident.span(), "a module", inside),
        Item::Struct(it) => (it.ident.span(), "a type", made),
        Item::Enum(it) => (it.ident.span(), "a type", made),
        Item::Union(it) => (it.ident.span(), "a type", made),
        Item::Const(it) => (it.ident.span(), "a constant", value),
        Item::Static(it) => (it.ident.span(), "a static", value),
        Item::Macro(it) => (
            it.mac.path.span(),
            "a macro",
            "put it on the function it makes",
        ),
        other => (other.span(), "something else", "put it on a function"),
    }
}

/// `#[cached]` may stand on a function once.
pub(super) fn once(item: &ItemFn, diag: &mut Diag) {
    for attribute in item.attrs.iter().filter(|attribute| is_cached(attribute)) {
        diag.on(
            attribute,
            "`#[cached]` is written twice; put all options into one",
        );
    }
}

fn is_cached(attribute: &Attribute) -> bool {
    let path = attribute.path();
    let ours = |name: &str| {
        path.segments
            .first()
            .is_some_and(|first| first.ident == name)
    };
    path.is_ident("cached")
        || path.segments.len() == 2 && ours("dewar") && path.segments[1].ident == "cached"
}
