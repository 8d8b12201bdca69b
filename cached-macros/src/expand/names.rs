//! What the hidden parts of an annotated function are called, and how they are reached.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, GenericParam, ItemFn, Pat, Receiver, ReceiverKind, Type};

use crate::model::{Context, Options};

/// A hidden part of an annotated function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The user's body.
    Body,
    /// The key, the skipped arguments left out. Its name is what a user reads who leaves out one
    /// that is not skipped.
    Key,
    /// The handle on an entry.
    Entry,
    /// The description.
    Site,
    /// What a view says beside it.
    View,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Part::Body => "body",
            Part::Key => "needs_skip",
            Part::Entry => "entry",
            Part::Site => "site",
            Part::View => "view",
        }
    }
}

/// The name of a part in the companion of a free function.
pub(crate) fn in_companion(part: Part) -> Ident {
    format_ident!("__{}", part.word())
}

/// The name of a part beside a method.
pub(crate) fn beside_method(method: &Ident, part: Part) -> Ident {
    format_ident!("__cached_{}_{}", part.word(), method.unraw())
}

/// An annotated function, its arguments under plain names.
#[derive(Clone)]
pub(crate) struct Function<'a> {
    pub(crate) item: &'a ItemFn,
    pub(crate) context: Context,
    /// The name that users know the companion of a free function by.
    pub(crate) companion: Ident,
    /// Its own.
    pub(crate) hidden: Ident,
    /// Name and type of every argument but the receiver.
    pub(crate) arguments: Vec<(Ident, &'a Type)>,
    pub(crate) receiver: Option<&'a Receiver>,
    /// The written result type.
    pub(crate) result: TokenStream,
}

impl<'a> Function<'a> {
    pub(crate) fn new(options: &Options, context: Context, item: &'a ItemFn) -> Self {
        let mut arguments = Vec::new();
        let mut receiver = None;
        for (index, input) in item.sig.inputs.iter().enumerate() {
            match input {
                FnArg::Receiver(this) => receiver = Some(this),
                FnArg::Typed(typed) => {
                    let name = match &*typed.pat {
                        Pat::Ident(pat) if pat.subpat.is_none() => pat.ident.clone(),
                        pat => format_ident!("__argument_{}", index, span = pat.span()),
                    };
                    arguments.push((name, &*typed.ty));
                }
            }
        }
        let result = match &item.sig.output {
            syn::ReturnType::Default => quote!(()),
            syn::ReturnType::Type(_, ty) => quote!(#ty),
        };
        let name = options
            .companion
            .as_ref()
            .map_or(&item.sig.ident, |named| &named.value);
        // It stands at the name, but as the macro's: no lint on names and types is the user's.
        let mut companion = name.clone();
        companion.set_span(name.span().resolved_at(Span::call_site()));
        let hidden = format_ident!("__{}", item.sig.ident.unraw(), span = companion.span());
        Function {
            item,
            context,
            companion,
            hidden,
            arguments,
            receiver,
            result,
        }
    }

    pub(crate) fn is_async(&self) -> bool {
        self.item.sig.asyncness.is_some()
    }

    /// Where the written result type begins and ends.
    pub(crate) fn result_span(&self) -> (Span, Span) {
        let mut written = self.item.sig.output.to_token_stream().into_iter().skip(2);
        let first = written.next().map_or_else(Span::call_site, |it| it.span());
        (first, written.last().map_or(first, |it| it.span()))
    }

    /// The name under which a part is declared.
    pub(crate) fn name_of(&self, part: Part) -> Ident {
        match self.context {
            Context::Free => in_companion(part),
            _ => beside_method(&self.item.sig.ident, part),
        }
    }

    /// A part as seen from inside the function, or from inside another part.
    pub(crate) fn path_to(&self, part: Part) -> TokenStream {
        let name = self.name_of(part);
        match self.context {
            Context::Free => {
                let hidden = &self.hidden;
                quote!(#hidden::#name)
            }
            _ => quote!(Self::#name),
        }
    }

    /// The type and constant parameters, as arguments; nothing where some of them have no name.
    pub(crate) fn turbofish(&self) -> TokenStream {
        let names = self.parameters();
        if names.is_empty() || self.has_impl_arguments() {
            return TokenStream::new();
        }
        quote!(::<#(#names),*>)
    }

    pub(super) fn parameters(&self) -> Vec<&Ident> {
        let named = |param: &'a GenericParam| match param {
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Const(param) => Some(&param.ident),
            _ => None,
        };
        self.item
            .sig
            .generics
            .params
            .iter()
            .filter_map(named)
            .collect()
    }

    pub(super) fn has_impl_arguments(&self) -> bool {
        self.arguments.iter().any(|(_, ty)| mentions_impl(ty))
    }

    /// An expression whose type is this function with all type parameters around it.
    pub(crate) fn marked(&self) -> TokenStream {
        let name = &self.item.sig.ident;
        let generics = self.turbofish();
        match self.context {
            Context::Trait => quote!(|| {}),
            _ if self.has_impl_arguments() => {
                let site = self.path_to(Part::Site);
                let opaque = self.arguments.iter().filter(|(_, ty)| mentions_impl(ty));
                let names = opaque.map(|(name, _)| name);
                let params = self
                    .item
                    .sig
                    .generics
                    .params
                    .iter()
                    .filter_map(|param| match param {
                        GenericParam::Type(param) => {
                            let name = &param.ident;
                            Some(quote!(#name))
                        }
                        GenericParam::Const(param) => {
                            let name = &param.ident;
                            Some(quote!([(); { #name as usize }]))
                        }
                        _ => None,
                    });
                quote!((#site, ::core::marker::PhantomData::<(#(#params,)*)>, #(&#names),*))
            }
            // Not the function by its own name, which may be that of an argument.
            Context::Free => {
                let body = self.path_to(Part::Body);
                quote!(#body #generics)
            }
            Context::Impl { .. } => quote!(Self::#name #generics),
        }
    }

    /// The arguments by name, for a call of a part.
    pub(crate) fn forwarded(&self) -> TokenStream {
        let names = self.arguments.iter().map(|(name, _)| name);
        quote!(#(#names,)*)
    }

    /// The receiver, for a declaration.
    pub(crate) fn receiver_input(&self) -> Option<TokenStream> {
        self.receiver.map(|this| {
            let mut this = this.clone();
            if !matches!(this.kind, ReceiverKind::Reference(..)) {
                this.mutability = None;
            }
            quote!(#this,)
        })
    }

    /// The arguments with plain names, for a declaration.
    pub(crate) fn plain_inputs(&self) -> TokenStream {
        let names = self.arguments.iter().map(|(name, _)| name);
        let types = self.arguments.iter().map(|(_, ty)| ty);
        quote!(#(#names: #types,)*)
    }

    /// The receiver and the arguments.
    pub(crate) fn inputs(&self) -> TokenStream {
        let (receiver, inputs) = (self.receiver_input(), self.plain_inputs());
        quote!(#receiver #inputs)
    }

    /// The path to a part, with its type arguments, up to its arguments; a method's part is called
    /// on `self`.
    pub(crate) fn called(&self, part: Part) -> TokenStream {
        let generics = self.turbofish();
        match self.receiver {
            Some(_) => {
                let name = self.name_of(part);
                quote!(self.#name #generics)
            }
            None => {
                let path = self.path_to(part);
                quote!(#path #generics)
            }
        }
    }
}

/// Whether the type is or holds `impl Trait`.
pub(super) fn mentions_impl(ty: &Type) -> bool {
    struct Find(bool);
    impl syn::visit::Visit<'_> for Find {
        fn visit_type_impl_trait(&mut self, _: &syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut find = Find(false);
    syn::visit::Visit::visit_type(&mut find, ty);
    find.0
}
