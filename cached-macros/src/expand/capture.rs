//! The arguments that an option works with.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::visit_mut::VisitMut;
use syn::{Expr, ExprClosure, Ident, ReceiverKind, Token, Type, parse_quote};

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
        .filter(|(name, _)| uses(closure, name))
        .collect();
    let receiver =
        (function.receiver).filter(|receiver| uses(closure, &Ident::from(receiver.self_token)));
    if mentioned.is_empty() && receiver.is_none() {
        return closure.to_token_stream();
    }
    let mut captured = Captured {
        span: closure.body.span(),
        copies: TokenStream::new(),
        lent: TokenStream::new(),
    };
    for (name, ty) in mentioned {
        let one = (options.batch.as_ref()).is_some_and(|batch| batch.value == *name);
        match ty {
            _ if one => captured.borrowed(name, name, None),
            Type::Reference(ty) if ty.mutability.is_none() => match inferred(&ty.elem) {
                // It has a size, and lends itself.
                Type::Infer(_) => captured.borrowed(name, name, None),
                ty => captured.borrowed(name, name, Some(&ty)),
            },
            _ => captured.owned(name, name),
        }
    }
    let mut closure = closure.clone();
    closure.capture = Some(Token![move](closure.inputs_begin.span));
    let mut body = closure.body.to_token_stream();
    if let Some(receiver) = receiver {
        // Nothing else can be called `self`.
        let this = Ident::new("this", Span::mixed_site());
        let receiver_name = Ident::from(receiver.self_token);
        match receiver.kind {
            ReceiverKind::Reference(..) => captured.borrowed(&this, &receiver_name, None),
            _ => captured.owned(&this, &receiver_name),
        }
        body = renamed(body, &receiver_name, &this);
    }
    let Captured { span, copies, lent } = captured;
    *closure.body = match lent.is_empty() {
        true => Expr::Verbatim(body),
        false => Expr::Verbatim(quote_spanned!(span=> { #lent #body })),
    };
    quote!({ #copies #closure })
}

/// The type without what cannot be named: the compiler knows that anyway.
fn inferred(ty: &Type) -> Type {
    struct Infer;
    impl VisitMut for Infer {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            match ty {
                Type::ImplTrait(_) => *ty = parse_quote!(_),
                Type::Paren(inside) if matches!(*inside.elem, Type::ImplTrait(_)) => {
                    *ty = parse_quote!(_);
                }
                _ => syn::visit_mut::visit_type_mut(self, ty),
            }
        }
    }
    let mut ty = ty.clone();
    Infer.visit_type_mut(&mut ty);
    ty
}

/// What a closure takes along.
struct Captured {
    span: Span,
    /// Ahead of the closure.
    copies: TokenStream,
    /// In it.
    lent: TokenStream,
}

impl Captured {
    fn owned(&mut self, name: &Ident, of: &Ident) {
        self.copies.extend(quote_spanned!(self.span=>
            #[allow(unused_variables)] let #name = ::core::clone::Clone::clone(&#of);
        ));
    }

    /// Of a reference, to a type that a `String` or a `Vec` can lend as well.
    fn borrowed(&mut self, name: &Ident, of: &Ident, ty: Option<&Type>) {
        let (copy, lent) = match ty {
            Some(ty) => (
                quote_spanned!(self.span=> ::std::borrow::ToOwned::to_owned(#of)),
                quote_spanned!(self.span=> let #name: &#ty = ::core::borrow::Borrow::borrow(&#name);),
            ),
            None => (
                quote_spanned!(self.span=> ::core::clone::Clone::clone(#of)),
                quote_spanned!(self.span=> let #name = &#name;),
            ),
        };
        let copy = quote_spanned!(self.span=> #[allow(unused_variables)] let #name = #copy;);
        self.copies.extend(copy);
        self.lent.extend(lent);
    }
}

/// The same tokens with another name.
fn renamed(tokens: TokenStream, from: &Ident, to: &Ident) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) if ident == *from => {
            let mut to = to.clone();
            to.set_span(ident.span().resolved_at(to.span()));
            to.into()
        }
        TokenTree::Group(group) => {
            let inside = renamed(group.stream(), from, to);
            let mut new = Group::new(group.delimiter(), inside);
            new.set_span(group.span());
            new.into()
        }
        other => other,
    });
    tokens.collect()
}

/// Whether a closure uses a variable of that name from around it.
pub(crate) fn uses(closure: &ExprClosure, name: &Ident) -> bool {
    mentions_expr(&closure.body, name) && !mentions(&closure.inputs, &name.to_string())
}

/// Whether an expression uses a variable of that name.
fn mentions_expr(expr: &Expr, name: &Ident) -> bool {
    struct Find<'a>(&'a Ident, bool);
    impl<'ast> Visit<'ast> for Find<'_> {
        fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
            self.1 |= path.path.is_ident(self.0);
        }

        fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
            // Its own variable of that name is another.
            if !mentions(&closure.inputs, &self.0.to_string()) {
                syn::visit::visit_expr_closure(self, closure);
            }
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
            TokenTree::Literal(literal) => formats(&literal.to_string(), name),
            TokenTree::Punct(_) => false,
        })
    }
    search(tokens.to_token_stream(), name)
}

/// Whether a text, if it is a format string, shows a variable: `{name}`, `{name:?}`, `{:name$}`.
fn formats(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text[..at].trim_end(), text[at + name.len()..].trim_start());
        let shown = before.ends_with('{') && after.starts_with(['}', ':']);
        shown || after.starts_with('$')
    })
}

/// Whether an option works with an argument.
pub(super) fn used(options: &Options, function: &Function<'_>, name: &str) -> bool {
    let plan = super::plan::plan(options, function);
    let mode = super::function::mode(options, TokenStream::new());
    let stale_if = options.stale_if.as_ref().map(|option| &option.value);
    let key = (options.key.iter()).flat_map(|key| &key.value);
    mentions(&quote!(#plan #mode #stale_if #(#key)*), name)
}
