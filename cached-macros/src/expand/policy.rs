//! The options that are known at compile time, as a constant.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::model::{CacheRef, Jitter, Negative, Options, SingleFlight, Time};

/// `POLICY.timeout(…)…`
pub(crate) fn policy(options: &Options) -> TokenStream {
    if options.view.is_some() {
        // What it says is said of its responses.
        return quote!(::dewar::__private::POLICY);
    }
    let mut calls = Vec::new();
    let mut call = |tokens: TokenStream| calls.push(tokens);
    if let Some(timeout) = &options.timeout {
        match &timeout.value {
            Time::Fixed(n) => {
                let n = Literal::u64_unsuffixed(*n);
                call(quote!(.timeout(#n)));
            }
            Time::Never => call(quote!(.never())),
            Time::Expr(_) | Time::ByValue(_) => {}
        }
    }
    let times = [
        (&options.idle_timeout, quote!(idle_timeout)),
        (
            &options.stale_while_revalidate,
            quote!(stale_while_revalidate),
        ),
        (&options.soft_timeout, quote!(soft_timeout)),
        (&options.hard_timeout, quote!(hard_timeout)),
    ];
    for (time, name) in times {
        if let Some(time) = time {
            let n = Literal::u64_unsuffixed(time.value);
            call(quote!(.#name(#n)));
        }
    }
    if let Some(stale) = &options.stale_if_error {
        let window = stale.value.window;
        call(quote!(.stale_if_error(#window)));
        if let Some(retry) = stale.value.retry {
            call(quote!(.retry(#retry)));
        }
    }
    if let Some(part) = &options.refresh_ahead {
        let part = part.value;
        call(quote!(.refresh_ahead(#part)));
    }
    match options.jitter.as_ref().map(|jitter| jitter.value) {
        Some(Jitter::PerMille(part)) => call(quote!(.jitter_per_mille(#part))),
        Some(Jitter::Fixed(n)) => call(quote!(.jitter(#n))),
        None => {}
    }
    match options.single_flight.as_ref().map(|flight| flight.value) {
        Some(SingleFlight::Off) => call(quote!(.no_single_flight())),
        Some(SingleFlight::Distributed) => call(quote!(.distributed())),
        Some(SingleFlight::Process) | None => {}
    }
    if options.detach.as_ref().is_some_and(|detach| !detach.value) {
        call(quote!(.no_detach()));
    }
    match options.cache_none.as_ref().map(|none| &none.value) {
        Some(Negative::Default) => call(quote!(.cache_none())),
        Some(Negative::For(n)) => call(quote!(.cache_none_for(#n))),
        None => {}
    }
    match options.cache_err.as_ref().map(|err| &err.value) {
        Some(Negative::Default) => call(quote!(.cache_err())),
        Some(Negative::For(n)) => call(quote!(.cache_err_for(#n))),
        None => {}
    }
    if options.local.is_some() {
        call(quote!(.local()));
    }
    quote!(::dewar::__private::POLICY #(#calls)*)
}

/// `.cache(…)` on the site, where the function names a cache.
pub(crate) fn source(options: &Options) -> TokenStream {
    match options.cache.as_ref().map(|cache| &cache.value) {
        Some(CacheRef::Path(path)) => {
            let borrowed = quote_spanned!(path.span()=> &#path);
            quote!(.cache(|| #borrowed))
        }
        Some(CacheRef::Name(name)) => quote!(.named(#name)),
        None => TokenStream::new(),
    }
}
