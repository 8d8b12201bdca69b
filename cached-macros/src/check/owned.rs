//! Whether the arguments are certainly owned, so that a load can outlive its caller.

use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    FnArg, Generics, Ident, ItemFn, Macro, Path, Type, TypeImplTrait, TypeParamBound,
    WherePredicate,
};

use super::borrow::borrow;
use crate::model::Context;
use crate::words;

/// Why a load cannot be handed to the background.
pub(crate) struct Borrowed {
    /// The argument, or whatever else stands in the way.
    pub(crate) span: Span,
    /// What stands in the way and what helps, as the end of a sentence.
    pub(crate) reason: String,
}

/// `Ok` where every argument is certainly owned and the future can be named; for whatever is
/// uncertain, the reason.
pub(crate) fn detachable(item: &ItemFn, context: Context) -> Result<(), Borrowed> {
    let borrowed = |span, reason: String| Err(Borrowed { span, reason });
    for input in &item.sig.inputs {
        let typed = match input {
            FnArg::Receiver(receiver) => {
                let reason = "`self` may be borrowed; move the work to a function without it";
                return borrowed(receiver.self_token.span(), reason.to_owned());
            }
            FnArg::Typed(typed) => typed,
        };
        if let Some(reason) = uncertain(&typed.ty, item) {
            let name = typed.pat.to_token_stream().to_string();
            let name = name.trim_start_matches("mut ");
            return borrowed(typed.pat.span(), format!("`{name}` {reason}"));
        }
    }
    let name = &item.sig.ident;
    match context {
        Context::Trait | Context::Impl { generic: true } => {
            let reason = format!("`{name}` depends on the type around it; use a free function");
            return borrowed(name.span(), reason);
        }
        Context::Free | Context::Impl { generic: false } => {}
    }
    let own = words::plain(&name.to_string());
    if words::mentions(item.block.to_token_stream(), &|word| word == own) {
        let reason = format!("`{name}` calls itself; move the recursion to another function");
        return borrowed(name.span(), reason);
    }
    Ok(())
}

/// Why a value of that type may hold a borrow, and what helps.
fn uncertain(ty: &Type, item: &ItemFn) -> Option<String> {
    if borrow(ty).is_some() {
        return Some("is borrowed; take it by value".to_owned());
    }
    let mut open = Open {
        generics: &item.sig.generics,
        found: None,
    };
    open.visit_type(ty);
    open.found
        .map(|remedy| format!("may hold a borrow; {remedy}"))
}

/// Parts of a type that could stand for something borrowed.
struct Open<'g> {
    generics: &'g Generics,
    /// What helps.
    found: Option<String>,
}

impl Open<'_> {
    fn found(&mut self, remedy: impl Into<String>) {
        self.found.get_or_insert_with(|| remedy.into());
    }
}

impl<'t> Visit<'t> for Open<'_> {
    fn visit_type_impl_trait(&mut self, opaque: &'t TypeImplTrait) {
        if !is_static(&opaque.bounds) {
            self.found("write `impl Trait + 'static`");
        }
        visit::visit_type_impl_trait(self, opaque);
    }

    fn visit_path(&mut self, path: &'t Path) {
        let first = &path.segments[0].ident;
        if first == "Self" {
            self.found("write the type by its name");
        } else if self
            .generics
            .type_params()
            .any(|param| param.ident == *first)
            && !owned_parameter(first, self.generics)
        {
            self.found(format!("write `{first}: 'static`"));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, _: &'t Macro) {
        self.found("write the type out");
    }
}

fn owned_parameter(name: &Ident, generics: &Generics) -> bool {
    let inline = generics
        .type_params()
        .any(|it| it.ident == *name && is_static(&it.bounds));
    let predicates = generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates);
    inline
        || predicates.into_iter().any(|predicate| match predicate {
            WherePredicate::Type(it) => {
                let named = matches!(&it.bounded_ty, Type::Path(path) if path.path.is_ident(name));
                named && is_static(&it.bounds)
            }
            _ => false,
        })
}

fn is_static<'b>(bounds: impl IntoIterator<Item = &'b TypeParamBound>) -> bool {
    let mut bounds = bounds.into_iter();
    bounds.any(|bound| matches!(bound, TypeParamBound::Lifetime(it) if it.ident == "static"))
}
