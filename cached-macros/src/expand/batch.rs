//! `#[cached(batch = ids)]`: many keys in one call.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;

use super::function::{at, declaration, mode, wrap};
use super::names::{Function, Part};
use super::parts;
use crate::model::{Context, Options};

/// The annotated function and what goes with it.
pub(crate) fn cached(options: &Options, function: &Function<'_>) -> TokenStream {
    let look = look(
        options,
        function,
        Some(mode(options, quote!(::dewar::__private::READ))),
    );
    let body = body_call(options, function);
    let run = if function.is_async() {
        quote!(#look.run(|missing: ::std::vec::Vec<_>| #body).await)
    } else {
        quote!(#look.call(|missing: ::std::vec::Vec<_>| #body))
    };
    let outer = declaration(function, &run);
    if function.context == Context::Trait {
        return outer;
    }
    let hidden = super::function::body(options, function);
    let rest = places(options, function);
    let rest = wrap(options, function, &hidden, &rest);
    quote!(#outer #rest)
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
fn whole(function: &Function<'_>, name: &str) -> TokenStream {
    let (answers, result) = (answers(function, name), &function.result);
    quote_spanned!(function.result_span().1=> #answers<#result>)
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
    let keys = match batch_type(options, function) {
        Some(Type::Reference(_)) => quote!(&missing),
        _ => quote!(missing.into_iter().collect()),
    };
    let call = if function.context == Context::Trait {
        let (block, result) = (&function.item.block, &function.result);
        let ty = batch_type(options, function);
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

/// The places of all keys, for `invalidate!`.
fn places(options: &Options, function: &Function<'_>) -> TokenStream {
    let look = look(options, function, None);
    let (vis, generics) = (&function.item.vis, &function.item.sig.generics);
    let bounds = &generics.where_clause;
    let (batch, handle) = (whole(function, "Looked"), whole(function, "Handle"));
    let hidden = super::function::attributes(function);
    let entry = function.name_of(Part::Entry);
    let (receiver, inputs) = (function.receiver_input(), function.plain_inputs());
    let key = parts::open_inputs(options, function).map(|inputs| {
        let name = function.name_of(Part::Key);
        quote! {
            #hidden #[allow(unused_variables)] #vis fn #name #generics(#inputs) -> #batch
            #bounds { #look }
        }
    });
    quote! {
        // What is skipped is not looked at.
        #hidden #[allow(unused_variables)]
        #vis fn #entry #generics(#receiver #inputs _: ::dewar::__private::Mode) -> #handle
        #bounds { #look.entry() }
        #key
    }
}
