//! `entry!`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::invalidate::called;
use super::names::{Part, beside_method};
use crate::model::{Argument, Target};

/// The handle on one call's entry.
pub(crate) fn entry(target: &Target) -> TokenStream {
    match target {
        Target::Call { path, args, .. } => {
            let called = called(path);
            let args = args.iter().filter_map(given);
            quote!(#called(#(#args,)* ::dewar::__private::KEY))
        }
        Target::MethodCall {
            receiver,
            method,
            turbofish,
            args,
        } => {
            let name = beside_method(method, Part::Entry);
            let args = args.iter().filter_map(given);
            quote_spanned!(method.span()=> (#receiver).#name #turbofish(#(#args,)* ::dewar::__private::KEY))
        }
        // The parser of `entry!` lets nothing else through.
        _ => TokenStream::new(),
    }
}

fn given(argument: &Argument) -> Option<&syn::Expr> {
    match argument {
        Argument::Given(expr) => Some(expr),
        Argument::Skipped(_) => None,
    }
}
