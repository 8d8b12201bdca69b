//! `#[cached(view, …)]` on an axum handler.
//!
//! The handler takes its first argument together with the request, and answers with a whole
//! response; its body stands beside it as it was written. Where there is no first argument, or
//! `#[debug_handler]` is yet to look at the types, the request comes as an argument of its own.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::{FnArg, ItemFn, PatType, parse_quote};

use super::capture::mentions;
use super::names::{Function, Part};
use super::patterns::{Deref, by_reference, names, patterns};
use super::{function, parts, plan, text};
use crate::model::{Context, Credentials, Etag, Options, Size, Time};

/// The handler and what goes with it.
pub(crate) fn cached(options: &Options, context: Context, item: &ItemFn) -> TokenStream {
    let item = &used(options, item);
    let function = Function::new(options, context, item);
    let handler = handler(options, &function);
    let handler = Function::new(options, context, &handler.0).declared(&handler.1);
    let body = function::body(options, &function);
    let rest = function::wrap(options, &function, &body, &view(options, &function));
    quote!(#handler #rest)
}

impl Function<'_> {
    fn declared(&self, body: &TokenStream) -> TokenStream {
        function::declaration(self, body)
    }
}

/// What a pattern binds for an option alone is not unused in the body.
fn used(options: &Options, item: &ItemFn) -> ItemFn {
    let mut item = item.clone();
    let said = said(
        options,
        &Function::new(options, Context::Free, &item.clone()),
    );
    for input in &mut item.sig.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let names = names(&typed.pat);
        let unused = |name: &Ident| {
            let name = name.to_string();
            mentions(&said, &name) && !mentions(&item.block, &name)
        };
        if names.iter().any(unused) {
            typed.attrs.push(parse_quote!(#[allow(unused_variables)]));
        }
    }
    item
}

/// The options that work with arguments.
fn said(options: &Options, function: &Function<'_>) -> TokenStream {
    let (mode, plan) = (mode(options), plan::plan(options, function));
    let key = (options.key.iter()).flat_map(|key| &key.value);
    quote!(#mode #plan #(#key)*)
}

fn mode(options: &Options) -> TokenStream {
    function::mode(options, quote!(::dewar::__private::READ))
}

/// The handler as axum sees it, and what it does.
fn handler(options: &Options, function: &Function<'_>) -> (ItemFn, TokenStream) {
    let asked = Ident::new("asked", Span::mixed_site());
    let mut item = function.item.clone();
    let (first, last) = function.result_span();
    let response = quote_spanned!(first=> ::dewar::__private::Response);
    item.sig.output = syn::parse_quote_spanned!(first=> -> #response);
    let plain = function
        .arguments
        .iter()
        .map(|(name, ty)| -> FnArg { parse_quote!(#name: #ty) });
    item.sig.inputs = plain.collect::<Punctuated<_, _>>();
    let opened = match item.sig.inputs.first_mut() {
        Some(FnArg::Typed(PatType { pat, ty, .. })) if !is_debugged(function.item) => {
            *ty = parse_quote!(::dewar::__private::Asked<#ty>);
            quote!(let (#asked, #pat) = #pat.open();)
        }
        _ => {
            let whole = parse_quote!(#asked: ::dewar::__private::Asked<()>);
            item.sig.inputs.insert(0, whole);
            quote!(let (#asked, ()) = #asked.open();)
        }
    };
    let mut deref = Deref::default();
    let bound = bound(options, function, &mut deref);
    let [mode, parts, plan] = [
        mode(options),
        parts_of(options, function),
        plan::plan(options, function),
    ]
    .map(|tokens| deref.tokens(tokens));
    let (site, view) = (function.path_to(Part::Site), function.path_to(Part::View));
    let body = function.path_to(Part::Body);
    let look = match options.shared {
        Some(span) => quote_spanned!(span=> shared_view),
        None => quote!(view),
    };
    let generics = function.turbofish();
    let arguments = function.forwarded();
    // What is no response is reported on the result.
    let respond = Ident::new("respond", last);
    let respond = quote_spanned!(first=> ::dewar::__private::#respond);
    // A statement of its own: what it borrows is given back before anything is awaited.
    let at = Ident::new("at", Span::mixed_site());
    let run = quote! {
        #opened
        #bound
        let #at = ::dewar::__private::#look(
            #asked, #site(), #view(), &#body #generics, #mode, #parts, #plan
        );
        #at.run(#body #generics(#arguments), #respond).await
    };
    (item, run)
}

/// Whether `#[debug_handler]` comes after this attribute: it infers the state from the arguments, and
/// would not find it inside another type.
fn is_debugged(item: &ItemFn) -> bool {
    let last = |attr: &syn::Attribute| attr.path().segments.last().map(|it| it.ident.to_string());
    item.attrs
        .iter()
        .filter_map(last)
        .any(|name| name == "debug_handler")
}

/// What the patterns of arguments bind, as far as options work with it: lent, since the body takes
/// the arguments whole.
fn bound(options: &Options, function: &Function<'_>, deref: &mut Deref) -> TokenStream {
    let said = said(options, function);
    let mut bindings = TokenStream::new();
    for (name, pat) in patterns(function) {
        let names: Vec<Ident> = names(pat);
        if names
            .iter()
            .any(|it| mentions(&said, &it.to_string()) && it != name)
        {
            deref.add(names.into_iter().filter(|it| it != name));
            let pat = by_reference(pat);
            bindings.extend(quote!(#[allow(unused_variables)] let #pat = &#name;));
        }
    }
    bindings
}

/// The arguments by what they add to the key.
fn parts_of(options: &Options, function: &Function<'_>) -> TokenStream {
    let mut all = Vec::new();
    let counted = |tokens: TokenStream, span: Span| quote_spanned!(span=> ::dewar::__private::counted(::dewar::__private::arg(&(#tokens)).part()));
    if let Some(version) = &options.version {
        let version = version.value.to_token_stream();
        all.push(counted(
            version,
            options
                .version
                .as_ref()
                .map_or_else(Span::call_site, |it| it.name),
        ));
    }
    let inputs = function
        .item
        .sig
        .inputs
        .iter()
        .filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
    let mut whole = Vec::new();
    for ((name, _), typed) in function.arguments.iter().zip(inputs) {
        let mut known = names(&typed.pat);
        known.push(name.clone());
        let is = |it: &Ident| known.contains(it);
        let skipped = known
            .iter()
            .any(|name| parts::skips(options, &name.to_string()));
        let chosen = options.key.as_ref().is_none_or(|key| {
            let mut exprs = key
                .value
                .iter()
                .filter_map(|expr| syn::parse2::<Ident>(expr.to_token_stream()).ok());
            exprs.any(|it| is(&it))
        });
        let span = name.span();
        let ask = match chosen && !skipped {
            true => {
                whole.extend(known);
                Ident::new("extracted", span)
            }
            false => Ident::new("skipped", span),
        };
        all.push(quote_spanned!(span=> ::dewar::__private::#ask(&#name).part()));
    }
    let is_whole = |expr: &TokenStream| whole.iter().any(|name| text(name) == text(expr));
    for expr in options.key.iter().flat_map(|key| &key.value) {
        let tokens = expr.to_token_stream();
        if !is_whole(&tokens) {
            all.push(counted(
                tokens,
                options
                    .key
                    .as_ref()
                    .map_or_else(Span::call_site, |it| it.name),
            ));
        }
    }
    for (root, expr, span) in parts::values(options) {
        let tokens = expr.to_token_stream();
        if !whole.iter().any(|name| name == root) {
            all.push(counted(tokens, span));
        }
    }
    all.into_iter()
        .rfold(quote!(()), |rest, part| quote!((#part, #rest)))
}

/// The description of the handler.
fn view(options: &Options, function: &Function<'_>) -> TokenStream {
    let name = function.name_of(Part::View);
    let vis = &function.item.vis;
    let rules = rules(options);
    let hidden = function::attributes(function);
    let entry = function.name_of(Part::Entry);
    quote! {
        #hidden #[allow(non_upper_case_globals)] #vis const #entry: ::dewar::__private::ViewsGoByUrl =
            ::dewar::__private::ViewsGoByUrl;
        #hidden #vis fn #name() -> &'static ::dewar::__private::ViewSite {
            static VIEW: ::dewar::__private::ViewSite =
                ::dewar::__private::ViewSite::new(|rules| rules #rules);
            &VIEW
        }
    }
}

/// `.timeout(…)…`
fn rules(options: &Options) -> TokenStream {
    let of_view = &options.of_view;
    let mut calls = times(options);
    let mut call = |name: &str, argument: TokenStream| {
        let name = Ident::new(name, Span::call_site());
        calls.extend(quote!(.#name(#argument)));
    };
    let nothing = TokenStream::new;
    let is_off =
        |flag: &Option<crate::model::Named<bool>>| flag.as_ref().is_some_and(|it| !it.value);
    if is_off(&of_view.head) {
        call("no_head", nothing());
    }
    if let Some(statuses) = &of_view.statuses {
        let statuses = statuses.value.iter().map(|it| Literal::u16_unsuffixed(*it));
        call("statuses", quote!(&[#(#statuses),*]));
    }
    if let Some(query) = &of_view.query {
        let query = &query.value;
        if query.sorted {
            call("sorted_query", nothing());
        }
        if let Some(only) = &query.only {
            call("only_query", quote!(&[#(#only),*]));
        }
        if !query.ignore.is_empty() {
            let ignore = &query.ignore;
            call("ignore_query", quote!(&[#(#ignore),*]));
        }
    }
    if let Some(vary) = &of_view.vary {
        let names = &vary.value;
        call("vary", quote!(&[#(#names),*]));
    }
    for (name, said) in [
        ("cookies", &of_view.cookies),
        ("authorization", &of_view.authorization),
    ] {
        if let Some(said) = said {
            let word = match said.value {
                Credentials::Private => "private",
                Credentials::Keyed => "keyed",
                Credentials::Ignored => "ignored",
            };
            call(name, quote!(#word));
        }
    }
    if is_off(&of_view.host) {
        call("any_host", nothing());
    }
    match of_view
        .body_limit
        .as_ref()
        .map(|limit| (limit.name, &limit.value))
    {
        Some((_, Size::Fixed(bytes))) => {
            let bytes = Literal::u64_unsuffixed(*bytes);
            call("body_limit", quote!(#bytes));
        }
        Some((span, Size::Expr(expr))) => {
            let expr = quote_spanned!(span=> #expr);
            call("body_limit", expr);
        }
        None => {}
    }
    match of_view.cache_control.as_ref().map(|it| &it.value) {
        Some(Some(value)) => call("cache_control", quote!(#value)),
        Some(None) => call("no_cache_control", nothing()),
        None => {}
    }
    match of_view.etag.as_ref().map(|it| it.value) {
        Some(Etag::None) => call("no_etag", nothing()),
        Some(Etag::Weak) => call("weak_etag", nothing()),
        Some(Etag::Strong) | None => {}
    }
    if is_off(&of_view.last_modified) {
        call("no_last_modified", nothing());
    }
    calls
}

/// The times that are known at compile time, and single flight.
fn times(options: &Options) -> TokenStream {
    let mut calls = TokenStream::new();
    let mut fixed = |name: &str, nanos: u64| {
        let (name, nanos) = (
            Ident::new(name, Span::call_site()),
            Literal::u64_unsuffixed(nanos),
        );
        calls.extend(quote!(.#name(#nanos)));
    };
    if let Some(Time::Fixed(nanos)) = options.timeout.as_ref().map(|it| &it.value) {
        fixed("timeout", *nanos);
    }
    if let Some(time) = &options.stale_while_revalidate {
        fixed("stale_while_revalidate", time.value);
    }
    if let Some(stale) = &options.stale_if_error {
        fixed("stale_if_error", stale.value.window);
        if let Some(retry) = stale.value.retry {
            fixed("retry", retry);
        }
    }
    if let Some(Time::Never) = options.timeout.as_ref().map(|it| &it.value) {
        calls.extend(quote!(.never()));
    }
    let flight = options.single_flight.as_ref().map(|it| it.value);
    if flight == Some(crate::model::SingleFlight::Off) {
        calls.extend(quote!(.no_single_flight()));
    }
    if options.local.is_some() {
        calls.extend(quote!(.local()));
    }
    calls
}
