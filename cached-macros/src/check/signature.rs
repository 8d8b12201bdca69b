//! Functions that cannot be annotated, whatever they return.

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, FnArg, ItemFn, ReceiverKind, Safety, Signature, Type, TypeFnPtr, TypePtr,
    TypeReference,
};

use super::shape::written;
use crate::diag::Diag;

/// For `#[cached]`.
pub(super) fn cached(item: &ItemFn, diag: &mut Diag) {
    let signature = &item.sig;
    qualifiers(signature, "cached", diag);
    if let Safety::Unsafe(token) = &signature.safety {
        diag.at(
            token.span,
            "an `unsafe fn` cannot be cached, since a hit would take the caller's promise for one \
             kept before; annotate a safe function that it calls",
        );
    }
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(receiver) => match &receiver.kind {
                ReceiverKind::Reference(_, _, Some(_)) => {
                    diag.on(receiver, promised("&mut self", "&self"));
                }
                ReceiverKind::Typed(_, ty) => argument("self", ty, diag),
                _ => {}
            },
            FnArg::Typed(typed) => {
                let cfg = |attr: &&Attribute| attr.path().is_ident("cfg");
                if let Some(cfg) = typed.attrs.iter().find(cfg) {
                    diag.on(
                        cfg,
                        "an argument of a cached function is there or not, whatever is configured; \
                         put the `#[cfg]` on two functions",
                    );
                }
                let name = typed.pat.to_token_stream().to_string();
                argument(name.trim_start_matches("mut "), &typed.ty, diag);
            }
        }
    }
}

/// For `#[invalidates]`, which runs the body each time.
pub(super) fn invalidates(item: &ItemFn, diag: &mut Diag) {
    qualifiers(&item.sig, "made to invalidate", diag);
}

fn qualifiers(signature: &Signature, what: &str, diag: &mut Diag) {
    if let Some(token) = &signature.constness {
        let message = format!("a `const fn` cannot be {what}; remove `const`");
        diag.at(token.span(), message);
    }
    if let Some(abi) = &signature.abi {
        let message = format!(
            "an `extern` function cannot be {what}; annotate an ordinary function that it calls"
        );
        diag.on(abi, message);
    }
    if let Some(dots) = &signature.variadic {
        let message =
            format!("a function of any number of arguments cannot be {what}; take a slice");
        diag.on(dots, message);
    }
}

fn promised(what: &str, instead: &str) -> String {
    format!(
        "`{what}` promises a change, and a hit makes none; take `{instead}`, or annotate a \
         function that only reads"
    )
}

fn argument(name: &str, ty: &Type, diag: &mut Diag) {
    let mut finder = Finder {
        mutable: None,
        pointer: None,
    };
    finder.visit_type(ty);
    if let Some(reference) = finder.mutable {
        let mut shared = reference.clone();
        shared.mutability = None;
        let types = [reference.clone(), shared].map(|it| written(&Type::Reference(it)));
        diag.on(reference, promised(&types[0], &types[1]));
    }
    if let Some(pointer) = finder.pointer {
        let message = format!(
            "`{name}` is a raw pointer, which says nothing about what it points to; take a \
             reference or a value"
        );
        diag.on(pointer, message);
    }
}

/// The first of each in a type.
struct Finder<'t> {
    mutable: Option<&'t TypeReference>,
    pointer: Option<&'t TypePtr>,
}

impl<'t> Visit<'t> for Finder<'t> {
    fn visit_type_reference(&mut self, reference: &'t TypeReference) {
        if reference.mutability.is_some() && self.mutable.is_none() {
            self.mutable = Some(reference);
        }
        visit::visit_type_reference(self, reference);
    }

    fn visit_type_ptr(&mut self, pointer: &'t TypePtr) {
        self.pointer = self.pointer.or(Some(pointer));
    }

    // What a function pointer takes is not what this function takes.
    fn visit_type_fn_ptr(&mut self, _: &'t TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &'t syn::ParenthesizedGenericArguments) {
    }
}
