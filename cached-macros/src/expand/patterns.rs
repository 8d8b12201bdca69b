//! What the patterns of arguments bind, lent to the options that work with it.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprClosure, FieldValue, FnArg, Member, Pat, PatIdent, parse_quote_spanned};

use super::names::Function;
use super::text;

/// The arguments that are written as patterns, each with the name by which generated code has it.
pub(super) fn patterns<'f>(
    function: &'f Function<'_>,
) -> impl Iterator<Item = (&'f Ident, &'f Pat)> {
    let inputs = function.item.sig.inputs.iter();
    let typed = inputs.filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&*typed.pat),
        FnArg::Receiver(_) => None,
    });
    let names = function.arguments.iter().map(|(name, _)| name);
    names
        .zip(typed)
        .filter(|(name, pat)| text(pat) != text(name))
}

/// The names that a pattern binds.
pub(super) fn names(pat: &Pat) -> Vec<Ident> {
    struct Names(Vec<Ident>);
    impl<'p> Visit<'p> for Names {
        fn visit_pat_ident(&mut self, ident: &'p PatIdent) {
            self.0.push(ident.ident.clone());
            visit::visit_pat_ident(self, ident);
        }
    }
    let mut names = Names(Vec::new());
    names.visit_pat(pat);
    names.0
}

/// The same pattern for a reference: what it binds are references.
pub(super) fn by_reference(pat: &Pat) -> Pat {
    struct Plain;
    impl VisitMut for Plain {
        fn visit_pat_ident_mut(&mut self, ident: &mut PatIdent) {
            ident.by_ref = None;
            ident.mutability = None;
            visit_mut::visit_pat_ident_mut(self, ident);
        }
    }
    let mut pat = pat.clone();
    Plain.visit_pat_mut(&mut pat);
    pat
}

/// Names that are bound by reference, for expressions that take them for the values.
#[derive(Default)]
pub(super) struct Deref(Vec<Ident>);

impl Deref {
    pub(super) fn add(&mut self, names: impl IntoIterator<Item = Ident>) {
        self.0.extend(names);
    }

    /// An expression with `(*name)` for each of the names. Macros are left as they are: what they
    /// format or match shows through a reference.
    pub(super) fn tokens(&mut self, tokens: TokenStream) -> TokenStream {
        if self.0.is_empty() {
            return tokens;
        }
        match syn::parse2::<Expr>(tokens.clone()) {
            Ok(mut expr) => {
                self.visit_expr_mut(&mut expr);
                expr.into_token_stream()
            }
            Err(_) => tokens,
        }
    }
}

impl VisitMut for Deref {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let named = match &*expr {
            Expr::Path(path) => path.path.get_ident().filter(|name| self.0.contains(name)),
            _ => None,
        };
        match named.cloned() {
            Some(name) => *expr = parse_quote_spanned!(name.span()=> (*#name)),
            None => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_expr_closure_mut(&mut self, closure: &mut ExprClosure) {
        let own: Vec<Ident> = closure.inputs.iter().flat_map(names).collect();
        let outer = self.0.clone();
        self.0.retain(|name| !own.contains(name));
        visit_mut::visit_expr_closure_mut(self, closure);
        self.0 = outer;
    }

    /// `Page { id }` is `Page { id: (*id) }`.
    fn visit_field_value_mut(&mut self, field: &mut FieldValue) {
        if let (None, Member::Named(name)) = (&field.colon_token, &field.member)
            && self.0.contains(name)
        {
            field.colon_token = Some(syn::Token![:](name.span()));
        }
        visit_mut::visit_field_value_mut(self, field);
    }
}
