//! The options that are worked out on a miss: prefix, tags, closures on the value.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::capture::kept;
use super::label;
use super::names::Function;
use crate::model::{Options, Time};

/// The closure that fills in the plan.
pub(crate) fn plan(options: &Options, function: &Function<'_>) -> TokenStream {
    let calls = calls(options, function);
    if calls.is_empty() {
        quote!(|_| {})
    } else {
        // An argument may have the same name.
        let plan = Ident::new("plan", Span::mixed_site());
        quote!(|#plan| { #plan #(#calls)*; })
    }
}

fn calls(options: &Options, function: &Function<'_>) -> Vec<TokenStream> {
    let kept = |closure| kept(options, function, closure);
    let mut calls = Vec::new();
    if let Some(prefix) = &options.key_prefix {
        calls.push(call("prefix", prefix.name, label(&prefix.value)));
    }
    for tag in &options.tags {
        calls.push(call("tag", tag.name, label(&tag.value)));
    }
    match options.timeout.as_ref().map(|it| (it.name, &it.value)) {
        Some((name, Time::Expr(expr))) => calls.push(call("timeout", name, expr)),
        Some((name, Time::ByValue(closure))) => calls.push(call("timeout_by", name, kept(closure))),
        _ => {}
    }
    if let Some(closure) = &options.cache_if {
        calls.push(call("cache_if", closure.name, kept(&closure.value)));
    }
    // What a shared store has is asked about as well, by whoever loads: perhaps not this call.
    if let Some(closure) = options
        .stale_if
        .as_ref()
        .filter(|_| options.local.is_none())
    {
        calls.push(call("stale_if", closure.name, kept(&closure.value)));
    }
    if let Some(closure) = &options.tags_by_value {
        calls.push(call("tags_by", closure.name, kept(&closure.value)));
    }
    if let Some(stale) = &options.stale_if_error
        && let Some(only) = &stale.value.only
    {
        calls.push(call("only", stale.name, kept(only)));
    }
    if let Some(hard) = &options.hard_timeout {
        calls.push(call("hard", hard.name, TokenStream::new()));
    }
    calls
}

/// A call on the plan; what is wrong with it is reported on the option's name.
fn call(method: &str, option: Span, argument: impl ToTokens) -> TokenStream {
    let method = Ident::new(method, option);
    quote_spanned!(option=> .#method(#argument))
}
