//! `#[cached(batch = ids)]`: many keys in one call.

use std::borrow::Cow;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;

use super::function::{at, declaration, mode, with_patterns, wrap};
use super::names::{Function, Part};
use super::parts;
use crate::check::{detachable, owned_keys};
use crate::model::{Context, Options};

/// The annotated function and what goes with it.
pub(crate) fn cached(options: &Options, function: &Function<'_>) -> TokenStream {
    if function.context == Context::Trait {
        return declaration(function, &run_here(options, function));
    }
    let outer = declaration(function, &run(options, function));
    let hidden = super::function::body(options, function);
    let (key, entry) = (key(options, function), entry(options, function));
    let rest = wrap(options, function, &hidden, &quote!(#key #entry));
    quote!(#outer #rest)
}

/// What the function does: it makes the call that its companion describes.
fn run(options: &Options, function: &Function<'_>) -> TokenStream {
    let (path, arguments) = (function.called(Part::Entry), function.forwarded());
    let arguments = quote!(#arguments ::dewar::__private::READ);
    let arguments = quote_spanned!(function.result_span().1=> (#arguments));
    let path = at_result(function, path);
    let call = quote!(#path #arguments);
    if !function.is_async() {
        return quote!(#call.run());
    }
    match detached(options, function) {
        true => quote!(#call.run_as(|b| ::dewar::__private::auto_many(b).send()).await),
        false => quote!(#call.run().await),
    }
}

/// The same tokens at the result type: what is no batch makes one error, and there.
fn at_result(function: &Function<'_>, tokens: TokenStream) -> TokenStream {
    let (first, last) = function.result_span();
    let mut tokens: Vec<_> = tokens.into_iter().collect();
    let end = tokens.len().saturating_sub(1);
    for (index, token) in tokens.iter_mut().enumerate() {
        let place = if index == end { last } else { first };
        token.set_span(place);
    }
    tokens.into_iter().collect()
}

/// Whether a load can go on without its caller.
fn detached(options: &Options, function: &Function<'_>) -> bool {
    let wanted = options.detach.as_ref().is_none_or(|detach| detach.value);
    let item = owned_keys(options, function.item);
    // Where an argument's type has no name, the body cannot be told from a borrow of the keys.
    let told = !function.has_impl_arguments() || matches!(item, Cow::Borrowed(_));
    wanted && told && detachable(&item, function.context).is_ok()
}

/// The same for a method that has no companion: everything in place.
fn run_here(options: &Options, function: &Function<'_>) -> TokenStream {
    let mode = mode(options, quote!(::dewar::__private::READ));
    let handle = handle(options, function, mode);
    match function.is_async() {
        true => quote!(#handle.run().await),
        false => quote!(#handle.run()),
    }
}

/// The call: where it stands after looking into the cache as asked, and the body to run.
fn handle(options: &Options, function: &Function<'_>, mode: TokenStream) -> TokenStream {
    let look = look(options, function, Some(mode));
    let (result, body) = (&function.result, body_call(options, function));
    let make = match function.is_async() {
        true => quote!(entry),
        false => quote!(blocking),
    };
    // Look-up of methods does not see lifetimes, and would think that what borrows can be kept.
    let sharing = match parts::borrows(&function.item.sig.output) {
        true => quote!(::core::option::Option::None),
        false => quote!(::dewar::__private::sharable::<#result>().sharing()),
    };
    let missing = missing();
    quote!(#look.#make(#sharing, move |#missing: ::std::vec::Vec<_>| #body))
}

/// Looks up every key: inside the closure the argument's name stands for one of them.
fn look(options: &Options, function: &Function<'_>, mode: Option<TokenStream>) -> TokenStream {
    let name = batch_name(options);
    let keys = match batch_type(options, function) {
        Some(Type::Reference(_)) => quote!(#name),
        _ => quote!(&#name),
    };
    let mut one = function.clone();
    one.result = answers(function, "Value");
    let at = at(options, &one, mode);
    let answers = answers(function, "look");
    quote_spanned!(function.result_span().1=> #answers(#keys, |#name| #at))
}

/// A type that goes with the result of a batch; what cannot be one is reported on the result.
fn answers(function: &Function<'_>, name: &str) -> TokenStream {
    let (first, last) = function.result_span();
    let (result, name) = (&function.result, Ident::new(name, last));
    let open = quote_spanned!(first=> <);
    let answers = quote_spanned!(last=> as ::dewar::__private::Answers>::#name);
    quote!(#open #result #answers)
}

/// The same of a type that is asked for with the whole result once more.
fn whole(function: &Function<'_>, name: &str, body: Option<TokenStream>) -> TokenStream {
    let (answers, result) = (answers(function, name), &function.result);
    let body = body.map(|body| quote!(, #body));
    quote_spanned!(function.result_span().1=> #answers<#result #body>)
}

fn batch_name(options: &Options) -> Option<&syn::Ident> {
    options.batch.as_ref().map(|batch| &batch.value)
}

fn batch_type<'a>(options: &Options, function: &Function<'a>) -> Option<&'a Type> {
    let name = batch_name(options)?;
    function
        .arguments
        .iter()
        .find(|(argument, _)| argument == name)
        .map(|(_, ty)| *ty)
}

/// The keys that the body is run for: a name that is not the user's.
fn missing() -> Ident {
    Ident::new("missing", Span::mixed_site())
}

/// The user's body for the keys in `missing`; it may run once more, for keys that another call
/// failed to load, so the other arguments are cloned.
fn body_call(options: &Options, function: &Function<'_>) -> TokenStream {
    let batch = batch_name(options);
    let others: Vec<_> = function
        .arguments
        .iter()
        .map(|(name, _)| name)
        .filter(|name| Some(*name) != batch)
        .collect();
    let clones = quote!(#(let #others = ::core::clone::Clone::clone(&#others);)*);
    let missing = missing();
    let keys = match batch_type(options, function) {
        Some(Type::Reference(_)) => quote!(&#missing),
        _ => quote!(#missing.into_iter().collect()),
    };
    let call = if function.context == Context::Trait {
        let block = with_patterns(function, function.item.block.to_token_stream());
        let (ty, result) = (batch_type(options, function), &function.result);
        match function.is_async() {
            true => quote!((async move || -> #result { let #batch: #ty = #keys; #block })()),
            false => quote!((|| -> #result { let #batch: #ty = #keys; #block })()),
        }
    } else {
        let path = function.called(Part::Body);
        let arguments = function
            .arguments
            .iter()
            .map(|(name, _)| match Some(name) == batch {
                true => quote!(#keys),
                false => quote!(#name),
            });
        quote!(#path(#(#arguments),*))
    };
    match function.is_async() {
        true => quote!({ #clones async move { #call.await } }),
        false => quote!({ #clones #call }),
    }
}

/// The places of all keys, for `invalidate!`; none where nothing is skipped.
fn key(options: &Options, function: &Function<'_>) -> Option<TokenStream> {
    let inputs = parts::open_inputs(options, function)?;
    let look = look(options, function, None);
    let (vis, generics) = (&function.item.vis, &function.item.sig.generics);
    let bounds = &generics.where_clause;
    let batch = whole(function, "Looked", None);
    let hidden = super::function::attributes(function);
    let name = function.name_of(Part::Key);
    Some(quote! {
        #hidden #[allow(unused_variables)] #vis fn #name #generics(#inputs) -> #batch
        #bounds { #look }
    })
}

/// The handle on the entries.
fn entry(options: &Options, function: &Function<'_>) -> TokenStream {
    let (vis, generics) = (&function.item.vis, &function.item.sig.generics);
    let (bounds, result) = (&generics.where_clause, &function.result);
    let asked = Ident::new("mode", Span::mixed_site());
    let handle = handle(options, function, mode(options, quote!(#asked)));
    let key = answers(function, "Key");
    // The body borrows no more than its arguments do, and from the keys, which it is given, nothing.
    let free = (function.is_async() && detached(options, function)).then(|| {
        let parameters = function.parameters();
        quote!(+ use<#(#parameters),*>)
    });
    let (kind, body) = match function.is_async() {
        true => (
            "Handle",
            quote! {
                impl ::dewar::__private::LoadMany<
                    #key, #result, Run = impl ::core::future::Future<Output = #result> #free
                > + ::core::clone::Clone #free
            },
        ),
        false => (
            "BlockingHandle",
            quote!(impl Fn(::std::vec::Vec<#key>) -> #result),
        ),
    };
    let whole = whole(function, kind, Some(body));
    let hidden = super::function::attributes(function);
    let name = function.name_of(Part::Entry);
    let (receiver, inputs) = (function.receiver_input(), function.plain_inputs());
    quote! {
        #hidden #vis fn #name #generics(
            #receiver #inputs #asked: ::dewar::__private::Mode
        ) -> #whole #bounds { #handle }
    }
}
