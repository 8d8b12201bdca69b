//! Is it a function at all?

use proc_macro2::TokenStream;
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
    let (what, advice) = match &item {
        Item::Impl(_) => (
            "an `impl` block",
            "put it on the methods inside, one by one",
        ),
        Item::Trait(_) => ("a trait", "put it on the methods of each `impl`"),
        Item::Mod(_) => ("a module", "put it on the functions inside, one by one"),
        Item::Struct(_) | Item::Enum(_) | Item::Union(_) => {
            ("a type", "put it on the function that makes the value")
        }
        Item::Const(_) | Item::Static(_) => ("a constant", "put it on a function of that value"),
        Item::Macro(_) => ("a macro", "put it on the function that the macro makes"),
        _ => ("something else", "put it on a function"),
    };
    diag.on(
        &item,
        format!("`#[{attribute}]` goes on a function, and this is {what}; {advice}"),
    );
    None
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
