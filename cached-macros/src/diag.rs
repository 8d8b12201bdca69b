//! Mistakes, collected so that all of one annotation are reported at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

/// What is wrong with one annotation.
#[derive(Default)]
pub(crate) struct Diag {
    errors: Vec<syn::Error>,
}

impl Diag {
    /// A mistake in a single word.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.errors.push(syn::Error::new(span, message));
    }

    /// A mistake that stretches over `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.errors.push(syn::Error::new_spanned(tokens, message));
    }

    /// The value of what went well; the mistakes of what did not are kept.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.extend(error);
                None
            }
        }
    }

    /// Whether nothing was found.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// The mistakes beside the item they were found on. The item stays as it was written, so that
    /// whatever uses it compiles and no further errors follow.
    pub(crate) fn beside(self, item: TokenStream) -> TokenStream {
        let errors = self.errors.iter().map(syn::Error::to_compile_error);
        quote!(#(#errors)* #item)
    }

    /// The mistakes in place of an expression. A block that ends in `compile_error!` has the
    /// compiler's error type, so that nothing follows from what is done with it.
    pub(crate) fn in_place(self) -> TokenStream {
        let errors = self.errors.iter().map(syn::Error::to_compile_error);
        quote!({ #(#errors)* })
    }

    /// What the user would read, in order.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<String> {
        self.errors.iter().map(ToString::to_string).collect()
    }
}
