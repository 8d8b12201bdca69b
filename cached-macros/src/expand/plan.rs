//! The options that are worked out on a miss: prefix, tags, closures on the value.

use proc_macro2::TokenStream;
use quote::quote;

use super::label;
use crate::model::{Options, Time};

/// The closure that fills in the plan.
pub(crate) fn plan(options: &Options) -> TokenStream {
    let calls = calls(options);
    if calls.is_empty() {
        quote!(|_| {})
    } else {
        quote!(|plan| { plan #(#calls)*; })
    }
}

fn calls(options: &Options) -> Vec<TokenStream> {
    let mut calls = Vec::new();
    if let Some(prefix) = &options.key_prefix {
        let label = label(&prefix.value);
        calls.push(quote!(.prefix(#label)));
    }
    for tag in &options.tags {
        let label = label(&tag.value);
        calls.push(quote!(.tag(#label)));
    }
    match options.timeout.as_ref().map(|timeout| &timeout.value) {
        Some(Time::Expr(expr)) => calls.push(quote!(.timeout(#expr))),
        Some(Time::ByValue(closure)) => calls.push(quote!(.timeout_by(#closure))),
        _ => {}
    }
    if let Some(closure) = &options.cache_if {
        let closure = &closure.value;
        calls.push(quote!(.cache_if(#closure)));
    }
    if let Some(closure) = &options.tags_by_value {
        let closure = &closure.value;
        calls.push(quote!(.tags_by(#closure)));
    }
    if let Some(only) = options
        .stale_if_error
        .as_ref()
        .and_then(|stale| stale.value.only.as_ref())
    {
        calls.push(quote!(.only(#only)));
    }
    if options.hard_timeout.is_some() {
        calls.push(quote!(.hard()));
    }
    calls
}
