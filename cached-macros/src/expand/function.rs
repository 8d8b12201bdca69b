//! `#[cached]` on a function with one key a call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, ItemFn, Meta, PatType, Token, Visibility, parse_quote};

use super::capture::{mentions, used};
use super::names::{Function, Part};
use super::patterns::patterns;
use super::{batch, parts, plan, policy, view};
use crate::check::detachable;
use crate::model::{Context, Options};

type Inputs = syn::punctuated::Punctuated<FnArg, Token![,]>;

/// The annotated function and what goes with it.
pub(crate) fn cached(options: &Options, context: Context, item: &ItemFn) -> TokenStream {
    let function = Function::new(options, context, item);
    if options.view.is_some() {
        return view::cached(options, context, item);
    }
    if options.batch.is_some() {
        return batch::cached(options, &function);
    }
    let outer = outer(options, &function);
    if context == Context::Trait {
        return outer;
    }
    let rest = companion(options, &function);
    quote!(#outer #rest)
}

/// The function as its callers see it.
fn outer(options: &Options, function: &Function<'_>) -> TokenStream {
    let run = match function.context {
        Context::Trait => run_here(options, function),
        _ => run(options, function),
    };
    declaration(function, &run)
}

/// The function's own declaration around another body.
pub(crate) fn declaration(function: &Function<'_>, body: &TokenStream) -> TokenStream {
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
        ..
    } = function.item;
    let (constness, asyncness) = (&sig.constness, &sig.asyncness);
    let (name, output) = (&sig.ident, &sig.output);
    let (generics, bounds) = (&sig.generics, &sig.generics.where_clause);
    let (inputs, attrs) = (function.inputs(), allowed(attrs));
    // The function is the user's where it begins and where it ends: that it is never called is told.
    let (keyword, end) = (&sig.fn_token, block.brace_token.span.close());
    let block = quote_spanned!(end=> { #body });
    quote! {
        #(#attrs)* #vis #constness #asyncness #keyword #name #generics(#inputs) #output #bounds #block
    }
}

/// What the function does: it makes the call that its companion describes.
fn run(options: &Options, function: &Function<'_>) -> TokenStream {
    let (path, arguments) = (function.called(Part::Entry), function.forwarded());
    let call = quote!(#path(#arguments ::dewar::__private::READ));
    let run = match how(options, function) {
        How::Here => quote!(.run()),
        How::Detached => quote!(.run_as(|b| b.send())),
        How::Timed => quote!(.run_timed()),
    };
    match function.is_async() {
        true => awaited(&call, &run),
        false => quote!(#call #run),
    }
}

/// A hit is no future: only what is to be loaded is awaited.
fn awaited(entry: &TokenStream, run: &TokenStream) -> TokenStream {
    let [value, missing] = ["value", "entry"].map(|name| Ident::new(name, Span::mixed_site()));
    quote! {
        match #entry.hit() {
            ::core::result::Result::Ok(#value) => #value,
            ::core::result::Result::Err(#missing) => #missing #run.await,
        }
    }
}

/// Where a body may run.
enum How {
    /// In its caller's task or thread.
    Here,
    /// There, and in the background if need be.
    Detached,
    /// On a thread of its own, so that its caller can stop waiting.
    Timed,
}

fn how(options: &Options, function: &Function<'_>) -> How {
    let wanted = options.detach.as_ref().map(|detach| detach.value);
    let free = detachable(function.item, function.context).is_ok();
    if wanted == Some(false) || !free && wanted.is_none() {
        return How::Here;
    }
    let timed = options.soft_timeout.is_some() || options.hard_timeout.is_some();
    let background = options.stale_while_revalidate.is_some() || options.refresh_ahead.is_some();
    match function.is_async() {
        true => How::Detached,
        false if timed => How::Timed,
        false if background => How::Detached,
        false => How::Here,
    }
}

/// The same for a method that has no companion: everything in place.
fn run_here(options: &Options, function: &Function<'_>) -> TokenStream {
    let at = at(
        options,
        function,
        Some(mode(options, quote!(::dewar::__private::READ))),
    );
    let call = body_call(function);
    match function.is_async() {
        true => awaited(&quote!(#at.entry(#call)), &quote!(.run())),
        false => {
            let (block, result) = (&function.item.block, &function.result);
            let block = with_patterns(function, block.to_token_stream());
            quote!(#at.call(move || -> #result #block))
        }
    }
}

/// The user's body, called with the arguments.
fn body_call(function: &Function<'_>) -> TokenStream {
    if function.context == Context::Trait {
        let (block, result) = (&function.item.block, &function.result);
        let block = with_patterns(function, block.to_token_stream());
        return quote!((async move || -> #result #block)());
    }
    let (path, arguments) = (function.called(Part::Body), function.forwarded());
    quote!(#path(#arguments))
}

/// A body in place: what the arguments were called by pattern is bound first.
pub(crate) fn with_patterns(function: &Function<'_>, block: TokenStream) -> TokenStream {
    let bindings: Vec<_> = patterns(function)
        .map(|(name, pat)| quote!(let #pat = #name;))
        .collect();
    if bindings.is_empty() {
        block
    } else {
        quote!({ #(#bindings)* #block })
    }
}

/// The look-up: of the mode, or, without one, of the place alone.
pub(crate) fn at(
    options: &Options,
    function: &Function<'_>,
    mode: Option<TokenStream>,
) -> TokenStream {
    let site = site(options, function);
    let marked = function.marked();
    let parts = parts::parts(options, function);
    let kind = kind(options, function);
    let plan = plan::plan(options, function);
    let stale_if = options
        .stale_if
        .as_ref()
        .filter(|_| mode.is_some())
        .map(|stale_if| {
            let closure = &stale_if.value;
            quote!(#closure,)
        });
    // What keeps the result from being cached is reported on the result.
    let (first, last) = function.result_span();
    let at = match &stale_if {
        Some(_) => Ident::new("at_unless_stale", first),
        None => Ident::new("at", first),
    };
    let mode = mode.unwrap_or_else(|| quote!(::dewar::__private::KEY));
    let at = quote_spanned!(first=> ::dewar::__private::#at);
    let arguments = quote!(#mode, #site, &#marked, #parts, #kind, #stale_if #plan);
    let arguments = quote_spanned!(last=> (#arguments));
    quote!(#at #arguments)
}

/// The question what the result is, so spanned that the compiler's answer stands below the result
/// type, or below `cache_err` or `shared` where that is what does not fit.
fn kind(options: &Options, function: &Function<'_>) -> TokenStream {
    let ((first, last), result) = (function.result_span(), &function.result);
    let ask = match parts::borrows(&function.item.sig.output) {
        true => Ident::new("out_borrowed", first),
        false => Ident::new("out", first),
    };
    let out = quote_spanned!(first=> ::dewar::__private::#ask::<#result>());
    let end = quote_spanned!(last=> ());
    let shared = options.shared.map(|span| Ident::new("shared", span));
    match (&options.cache_err, shared) {
        (Some(cache_err), shared) => {
            let whole = Ident::new("whole", cache_err.name);
            let shared = shared.map(|shared| quote!(.#shared #end));
            quote!(#out.#whole #end #shared)
        }
        (None, Some(shared)) => quote!(#out.#shared #end),
        (None, None) => {
            let kind = Ident::new("kind", last);
            quote!(#out.#kind #end)
        }
    }
}

/// What the call is to do, `unless` and `refresh_if` taken into account.
pub(crate) fn mode(options: &Options, asked: TokenStream) -> TokenStream {
    let unless = super::optional(&options.unless, |condition| {
        let condition = &condition.value;
        quote!(.unless(|| #condition))
    });
    let refresh = super::optional(&options.refresh_if, |condition| {
        let condition = &condition.value;
        quote!(.refresh_if(|| #condition))
    });
    quote!(#asked #unless #refresh)
}

/// A reference to the function's description.
fn site(options: &Options, function: &Function<'_>) -> TokenStream {
    if function.context == Context::Trait {
        let site = static_site(options, function);
        return quote!({ #site });
    }
    let path = function.path_to(Part::Site);
    quote!(#path())
}

/// The description as a `static`, and a reference to it.
pub(crate) fn static_site(options: &Options, function: &Function<'_>) -> TokenStream {
    let policy = policy::policy(options);
    let source = policy::source(options);
    let name = format!("::{}", function.item.sig.ident);
    quote! {
        static SITE: ::dewar::__private::Site =
            #policy.site(concat!(module_path!(), #name)) #source;
        &SITE
    }
}

/// The hidden parts: in a struct of their own, or beside the method.
fn companion(options: &Options, function: &Function<'_>) -> TokenStream {
    let body = body(options, function);
    let key = key(options, function);
    let entry = entry(options, function);
    wrap(options, function, &body, &quote!(#key #entry))
}

/// Puts the hidden parts where they belong.
pub(crate) fn wrap(
    options: &Options,
    function: &Function<'_>,
    body: &TokenStream,
    rest: &TokenStream,
) -> TokenStream {
    let site_name = function.name_of(Part::Site);
    let site = static_site(options, function);
    let vis = &function.item.vis;
    let cfgs = kept(&function.item.attrs, &["cfg"]);
    let site = quote! {
        #vis fn #site_name() -> &'static ::dewar::__private::Site { #site }
    };
    if function.context != Context::Free {
        return quote! {
            #[doc(hidden)] #[allow(deprecated, clippy::all)] #site
            #rest #body
        };
    }
    let (name, hidden) = (&function.companion, &function.hidden);
    // Where the name is taken, that is reported on the name, and nothing follows from it: only
    // users go by that name.
    let alias = quote_spanned!(name.span()=> type #name = #hidden;);
    let item = quote_spanned!(name.span()=> struct #hidden {});
    let unseen = (!matches!(vis, Visibility::Inherited)).then(|| quote!(#[doc(hidden)]));
    quote! {
        #(#cfgs)* #unseen #vis #alias
        #(#cfgs)* #unseen #vis #item
        #(#cfgs)* #[allow(deprecated, clippy::all)] impl #hidden { #site #rest }
        #(#cfgs)* impl #hidden { #body }
    }
}

/// The user's body as a function.
pub(crate) fn body(options: &Options, function: &Function<'_>) -> TokenStream {
    let ItemFn {
        attrs, sig, block, ..
    } = function.item;
    let mut sig = sig.clone();
    sig.ident = function.name_of(Part::Body);
    for (input, (name, _)) in typed(&mut sig.inputs).zip(&function.arguments) {
        let name = name.to_string();
        // Not unused: an option works with it.
        if !mentions(block, &name) && used(options, function, &name) {
            input.attrs.push(parse_quote!(#[allow(unused_variables)]));
        }
    }
    let lints = allowed(kept(
        attrs,
        &["allow", "expect", "warn", "deny", "forbid", "cfg"],
    ));
    let hidden = hidden(function);
    // Past that many arguments clippy would complain of the copy too.
    let many = (sig.inputs.len() > 7).then(|| quote!(#[allow(clippy::too_many_arguments)]));
    quote!(#(#lints)* #hidden #many #sig #block)
}

fn typed(inputs: &mut Inputs) -> impl Iterator<Item = &mut PatType> {
    inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    })
}

/// `#[doc(hidden)]` beside a method; the companion of a free function has it already.
fn hidden(function: &Function<'_>) -> TokenStream {
    match function.context {
        Context::Free => TokenStream::new(),
        _ => quote!(#[doc(hidden)]),
    }
}

/// Lints that are expected are fulfilled by one of the function's two halves only: allowed in both.
fn allowed<'a>(attrs: impl IntoIterator<Item = &'a Attribute>) -> Vec<TokenStream> {
    let allow = |attr: &Attribute| match &attr.meta {
        Meta::List(list) if list.path.is_ident("expect") => {
            let (lints, allow) = (&list.tokens, Ident::new("allow", list.path.span()));
            quote!(#[#allow(#lints)])
        }
        _ => attr.to_token_stream(),
    };
    attrs.into_iter().map(allow).collect()
}

fn kept<'a>(attrs: &'a [Attribute], names: &[&str]) -> Vec<&'a Attribute> {
    attrs
        .iter()
        .filter(|attr| names.iter().any(|name| attr.path().is_ident(name)))
        .collect()
}

/// The key with the skipped arguments left open, where there are any.
fn key(options: &Options, function: &Function<'_>) -> TokenStream {
    let Some(inputs) = parts::open_inputs(options, function) else {
        return TokenStream::new();
    };
    let name = function.name_of(Part::Key);
    let (vis, generics) = (&function.item.vis, &function.item.sig.generics);
    let (bounds, result) = (&generics.where_clause, &function.result);
    let at = at(options, function, None);
    let hidden = attributes(function);
    quote! {
        #hidden #vis fn #name #generics(#inputs) -> ::dewar::__private::At<#result>
        #bounds { #at }
    }
}

pub(crate) fn attributes(function: &Function<'_>) -> TokenStream {
    match function.context {
        Context::Free => TokenStream::new(),
        _ => quote!(#[doc(hidden)] #[allow(deprecated, clippy::all)]),
    }
}

/// The call: where it stands after looking into the cache as asked, and the body to run.
fn entry(options: &Options, function: &Function<'_>) -> TokenStream {
    let name = function.name_of(Part::Entry);
    let (vis, generics) = (&function.item.vis, &function.item.sig.generics);
    let (bounds, result) = (&generics.where_clause, &function.result);
    let asked = Ident::new("mode", Span::mixed_site());
    let at = at(options, function, Some(mode(options, quote!(#asked))));
    let (receiver, inputs) = (function.receiver_input(), function.plain_inputs());
    let (hidden, call) = (attributes(function), body_call(function));
    let (handle, make, body, call) = match function.is_async() {
        true => (
            quote!(Entry),
            quote!(entry),
            quote!(::core::future::Future<Output = #result>),
            call,
        ),
        false => (
            quote!(BlockingEntry),
            quote!(blocking),
            quote!(FnOnce() -> #result),
            quote!(move || #call),
        ),
    };
    quote! {
        #hidden #vis fn #name #generics(
            #receiver #inputs #asked: ::dewar::__private::Mode
        ) -> ::dewar::__private::#handle<#result, impl #body> #bounds {
            #at.#make(#call)
        }
    }
}
