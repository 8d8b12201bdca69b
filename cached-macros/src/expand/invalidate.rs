//! `invalidate!` and `#[invalidates]`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{ExprPath, ItemFn, ReturnType};

use super::names::{Part, beside_method, in_companion, mentions_impl};
use super::{label, url_text};
use crate::model::{Argument, CacheRef, Invalidates, Invalidation, Target};

/// `invalidate!(…)`.
pub(crate) fn invalidate(invalidation: &Invalidation) -> TokenStream {
    let builder = builder(invalidation);
    quote!(#builder.run())
}

/// The invalidation, not yet carried out.
fn builder(invalidation: &Invalidation) -> TokenStream {
    let cache = match &invalidation.cache {
        Some(CacheRef::Path(path)) => quote!(.of(&#path)),
        Some(CacheRef::Name(name)) => quote!(.named(#name)),
        None => TokenStream::new(),
    };
    let soft = invalidation.soft.then(|| quote!(.soft()));
    let targets = invalidation.targets.iter().map(target);
    quote!(::dewar::__private::Invalidation::new() #cache #soft #(#targets)*)
}

fn target(target: &Target) -> TokenStream {
    match target {
        Target::Call { path, args, .. } => {
            let call = call(path, args);
            quote!(.call(#call))
        }
        Target::MethodCall {
            receiver,
            method,
            turbofish,
            args,
        } => {
            let (part, end) = place(args);
            let mut name = beside_method(method, part);
            name.set_span(left_out(args).unwrap_or(name.span()));
            let args = args.iter().map(argument);
            let mode = mode(part);
            quote_spanned!(method.span()=> .call((#receiver).#name #turbofish(#(#args,)* #mode) #end))
        }
        Target::Function { path } => {
            let path = companion(path, Part::Site, None);
            quote!(.function(#path()))
        }
        Target::Prefix(prefix) => {
            let label = label(&prefix.value);
            quote!(.prefix(#label))
        }
        Target::Tag(tag) => {
            let label = label(&tag.value);
            quote!(.tag(#label))
        }
        Target::Pattern(pattern) => {
            let label = label(&pattern.value);
            quote!(.pattern(#label))
        }
        Target::Url(url) => {
            let text = url_text(&url.value);
            quote!(.url(#text.as_str()))
        }
        Target::Path(path) => {
            let text = url_text(&path.value);
            quote!(.path(#text.as_str()))
        }
        Target::All(_) => quote!(.all()),
    }
}

/// Which part gives the place of a call with these arguments, and how it is asked.
fn place(args: &[Argument]) -> (Part, TokenStream) {
    if left_out(args).is_some() {
        (Part::Key, TokenStream::new())
    } else {
        (Part::Entry, quote!(.place()))
    }
}

/// Where the first `_` stands, if there is one.
fn left_out(args: &[Argument]) -> Option<Span> {
    args.iter().find_map(|arg| match arg {
        Argument::Skipped(span) => Some(*span),
        Argument::Given(_) => None,
    })
}

fn call(path: &ExprPath, args: &[Argument]) -> TokenStream {
    let (part, end) = place(args);
    let called = match part {
        Part::Entry => called(path),
        _ => companion(path, part, left_out(args)),
    };
    let args = args.iter().map(argument);
    let mode = mode(part);
    quote!(#called(#(#args,)* #mode) #end)
}

/// The part of a function that is called with its arguments. Of a view there is none, and the compiler
/// says so on its name.
pub(super) fn called(path: &ExprPath) -> TokenStream {
    let name = path.path.segments.last().map(|last| last.ident.span());
    let path = companion(path, Part::Entry, None);
    // All of it stands where the name does: there the compiler tells of wrong arguments.
    quote_spanned!(name.unwrap_or(Span::call_site())=>
        ::dewar::__private::Called::new(#path).by_arguments()
    )
}

/// A handle is told to look at nothing.
fn mode(part: Part) -> Option<TokenStream> {
    (part == Part::Entry).then(|| quote!(::dewar::__private::KEY))
}

fn argument(argument: &Argument) -> TokenStream {
    match argument {
        Argument::Given(expr) => quote!(#expr),
        Argument::Skipped(span) => quote_spanned!(*span=> ()),
    }
}

/// The path to a hidden part of the function that a path names.
///
/// `Type::f` is told from `module::f` by the case of the name before the last: what is written
/// `CamelCase`, is `Self`, or has type arguments is a type. A part that does not exist is reported
/// at `span`, or else on the function's name.
pub(crate) fn companion(path: &ExprPath, part: Part, span: Option<Span>) -> TokenStream {
    let mut path = path.clone();
    let count = path.path.segments.len();
    let of_type = path.qself.is_some()
        || count >= 2
            && path
                .path
                .segments
                .iter()
                .nth(count - 2)
                .is_some_and(is_type);
    let Some(last) = path.path.segments.last_mut() else {
        return quote!(#path);
    };
    if of_type {
        last.ident = beside_method(&last.ident, part);
        last.ident.set_span(span.unwrap_or(last.ident.span()));
        return quote!(#path);
    }
    let arguments = std::mem::take(&mut last.arguments);
    let mut name = in_companion(part);
    name.set_span(span.unwrap_or(last.ident.span()));
    if part == Part::Site {
        return quote!(#path::#name);
    }
    match arguments {
        syn::PathArguments::None => quote!(#path::#name),
        arguments => quote!(#path::#name #arguments),
    }
}

fn is_type(segment: &syn::PathSegment) -> bool {
    let name = segment.ident.to_string();
    let starts_upper = name
        .trim_start_matches("r#")
        .starts_with(char::is_uppercase);
    starts_upper || !segment.arguments.is_empty()
}

/// `#[invalidates(…)]` on the function that changes the data.
pub(crate) fn invalidates(invalidates: &Invalidates, item: &ItemFn) -> TokenStream {
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
        ..
    } = item;
    let result = match &sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    let name = |text: &str| {
        let mut ident = format_ident!("{}", text);
        ident.set_span(Span::mixed_site());
        ident
    };
    let (later, done) = (name("later"), name("result"));
    let builder = builder(&invalidates.invalidation);
    let ahead = invalidates.before.then(|| quote!(#later.ahead();));
    let wanted = match invalidates.always {
        true => quote!(true),
        false => quote!(::dewar::__private::Succeeded::new(&#done).succeeded()),
    };
    // `impl Trait` cannot be written there; then the body says it all.
    let returns = match &sig.output {
        ReturnType::Type(_, ty) if mentions_impl(ty) => TokenStream::new(),
        _ => quote!(-> #result),
    };
    let (body, confirmed) = match sig.asyncness {
        Some(_) => (
            quote!((async move || #returns #block)().await),
            quote!(.await),
        ),
        None => (quote!((move || #returns #block)()), quote!(.wait())),
    };
    // The targets are worked out before the body, which may consume the arguments. A failure is
    // logged, counted and replayed where it happens.
    quote! {
        #(#attrs)* #vis #sig {
            let #later = ::dewar::__private::Pending::new(#builder);
            #ahead
            let #done = #body;
            let _ = #later.finish(#wanted)#confirmed;
            #done
        }
    }
}
