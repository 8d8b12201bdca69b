//! Results that cannot be remembered.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{ItemFn, ReturnType, Type, TypeImplTrait, TypeParamBound};

use super::borrow::borrow;
use super::shape::{argument, last, peel};
use crate::diag::Diag;

/// Looks at the written result type.
pub(super) fn cached(item: &ItemFn, diag: &mut Diag) {
    let name = &item.sig.ident;
    let nothing = || {
        format!(
            "`{name}` returns nothing that could be remembered; return the value, or remove \
             `#[cached]`"
        )
    };
    let ty = match &item.sig.output {
        ReturnType::Default => return diag.at(name.span(), nothing()),
        ReturnType::Type(_, ty) => peel(ty),
    };
    if let Some(tokens) = future(ty) {
        let message = format!(
            "a future cannot be remembered, only what it gives; write `async fn {name}`, or, where \
             the signature is not yours (`#[async_trait]`), call an `async fn` with `#[cached]` in \
             here"
        );
        return diag.on(tokens, message);
    }
    match ty {
        Type::Tuple(tuple) if tuple.elems.is_empty() => return diag.on(tuple, nothing()),
        Type::Never(never) => {
            let message = format!("`{name}` never returns; remove `#[cached]`");
            return diag.on(never, message);
        }
        _ => {}
    }
    let mut opaque = Opaque(None);
    opaque.visit_type(ty);
    if let Some(opaque) = opaque.0 {
        diag.on(
            opaque,
            "an `impl Trait` result has no type that could be named and stored; return a type by \
             its name, such as `Vec<T>` or `Arc<dyn Trait>`",
        );
    } else if let Some(borrowed) = borrow(ty) {
        diag.on(
            borrowed,
            "a borrowed result cannot outlive the call; return an owned one, such as `String`, \
             `Vec<T>` or `Arc<str>`",
        );
    }
}

/// `impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture`.
fn future(ty: &Type) -> Option<TokenStream> {
    let bounds = match peel(ty) {
        Type::ImplTrait(opaque) => &opaque.bounds,
        Type::TraitObject(object) => &object.bounds,
        _ => {
            let last = last(ty)?;
            let inside = match last.ident.to_string().as_str() {
                "BoxFuture" | "LocalBoxFuture" => true,
                "Pin" | "Box" => argument(last).and_then(future).is_some(),
                _ => false,
            };
            return inside.then(|| ty.to_token_stream());
        }
    };
    let named = bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "Future"),
        _ => false,
    });
    named.then(|| ty.to_token_stream())
}

/// The first `impl Trait` in a type.
struct Opaque<'t>(Option<&'t TypeImplTrait>);

impl<'t> Visit<'t> for Opaque<'t> {
    fn visit_type_impl_trait(&mut self, opaque: &'t TypeImplTrait) {
        self.0 = self.0.or(Some(opaque));
        visit::visit_type_impl_trait(self, opaque);
    }
}
