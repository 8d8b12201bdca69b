//! The arguments that an option works with.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Expr, ExprClosure, Ident, Token, Type};

use super::names::Function;
use crate::model::Options;

/// A closure that outlives the call: it takes its own copies of the arguments that it mentions.
///
/// They are made on a miss. What the function borrows is owned and lent to the closure again.
pub(super) fn kept(
    options: &Options,
    function: &Function<'_>,
    closure: &ExprClosure,
) -> TokenStream {
    let mentioned: Vec<_> = (function.arguments.iter())
        .filter(|(name, _)| mentions_expr(&closure.body, name))
        .filter(|(name, _)| !mentions(&closure.inputs, &name.to_string()))
        .collect();
    if mentioned.is_empty() {
        return closure.to_token_stream();
    }
    let span = closure.body.span();
    // A name may be that of something else inside.
    let allow = quote!(#[allow(unused_variables)]);
    let (mut copies, mut lent) = (TokenStream::new(), TokenStream::new());
    for (name, ty) in mentioned {
        let one = (options.batch.as_ref()).is_some_and(|batch| batch.value == *name);
        match ty {
            _ if one => {
                copies.extend(
                    quote_spanned!(span=> #allow let #name = ::std::borrow::ToOwned::to_owned(#name);),
                );
                lent.extend(quote_spanned!(span=> #allow let #name = &#name;));
            }
            Type::Reference(ty) if ty.mutability.is_none() => {
                let ty = &ty.elem;
                copies.extend(
                    quote_spanned!(span=> #allow let #name = ::std::borrow::ToOwned::to_owned(#name);),
                );
                lent.extend(
                    quote_spanned!(span=> #allow let #name: &#ty = ::core::borrow::Borrow::borrow(&#name);),
                );
            }
            _ => copies.extend(
                quote_spanned!(span=> #allow let #name = ::core::clone::Clone::clone(&#name);),
            ),
        }
    }
    let mut closure = closure.clone();
    closure.capture = Some(Token![move](closure.inputs_begin.span));
    if !lent.is_empty() {
        let body = &closure.body;
        *closure.body = Expr::Verbatim(quote_spanned!(span=> { #lent #body }));
    }
    quote!({ #copies #closure })
}

/// Whether an expression uses a variable of that name.
fn mentions_expr(expr: &Expr, name: &Ident) -> bool {
    struct Find<'a>(&'a Ident, bool);
    impl<'ast> Visit<'ast> for Find<'_> {
        fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
            self.1 |= path.path.is_ident(self.0);
        }

        fn visit_macro(&mut self, call: &'ast syn::Macro) {
            self.1 |= mentions(&call.tokens, &self.0.to_string());
        }
    }
    let mut find = Find(name, false);
    find.visit_expr(expr);
    find.1
}

/// Whether tokens mention a name, in the text of a literal too: it may be a format string.
pub(super) fn mentions(tokens: &impl ToTokens, name: &str) -> bool {
    fn search(tokens: TokenStream, name: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == name,
            TokenTree::Group(group) => search(group.stream(), name),
            TokenTree::Literal(literal) => literal.to_string().contains(name),
            TokenTree::Punct(_) => false,
        })
    }
    search(tokens.to_token_stream(), name)
}

/// Whether an option works with an argument.
pub(super) fn used(options: &Options, function: &Function<'_>, name: &str) -> bool {
    let plan = super::plan::plan(options, function);
    let mode = super::function::mode(options, TokenStream::new());
    let stale_if = options.stale_if.as_ref().map(|option| &option.value);
    let key = (options.key.iter()).flat_map(|key| &key.value);
    mentions(&quote!(#plan #mode #stale_if #(#key)*), name)
}
