//! `stats!`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ExprPath;

use super::invalidate::companion;
use super::names::Part;

/// The statistics of one function.
pub(crate) fn stats(path: &ExprPath) -> TokenStream {
    let site = companion(path, Part::Site, None);
    quote!(::dewar::__private::FunctionStats::of(#site()))
}
