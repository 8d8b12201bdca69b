//! What makes no sense for an axum handler, and what makes none without one.

use syn::spanned::Spanned;
use syn::{FnArg, ItemFn, Type};

use crate::args::{VIEW_OPTIONS, Written};
use crate::diag::Diag;
use crate::model::{Context, SingleFlight, Time};

/// How many extractors axum's handlers take.
const MOST: usize = 16;

/// Options of views on a function that is none.
pub(super) fn none(written: &Written, diag: &mut Diag) {
    for name in VIEW_OPTIONS {
        if let Some(span) = written.seen.span(name) {
            let message = format!(
                "`{name}` is about HTTP responses; write `view` first if this is an axum handler, or \
                 leave it out"
            );
            diag.at(span, message);
        }
    }
}

/// Everything about a view.
pub(super) fn cached(written: &Written, item: &ItemFn, context: Context, diag: &mut Diag) {
    handler(item, context, diag);
    pointless(written, diag);
    details(written, diag);
}

/// Whether axum would take it.
fn handler(item: &ItemFn, context: Context, diag: &mut Diag) {
    let signature = &item.sig;
    let name = &signature.ident;
    if signature.asyncness.is_none() {
        let message = format!("an axum handler is an `async fn`; write `async fn {name}`");
        diag.at(signature.fn_token.span, message);
    }
    if let Some(receiver) = signature.receiver() {
        diag.on(
            receiver,
            "an axum handler has no `self`; take what it needs as `State`",
        );
    } else if context == Context::Trait {
        let message = format!(
            "a method of a trait has no place for what a view needs beside it; call it in a \
             function of its own and annotate that instead of `{name}`"
        );
        diag.at(name.span(), message);
    }
    for input in &signature.inputs {
        if let FnArg::Typed(typed) = input
            && let Type::ImplTrait(opaque) = &*typed.ty
        {
            let message = "axum finds an extractor by its type; write the type, or a parameter of the \
                           function";
            diag.on(opaque, message);
        }
    }
    if let Some(input) = signature.inputs.iter().nth(MOST) {
        let message =
            format!("axum's handlers take {MOST} extractors; put some into one of your own");
        diag.at(input.span(), message);
    }
}

/// Options that are about values, and a view has none but its response.
fn pointless(written: &Written, diag: &mut Diag) {
    const INSTEAD: &[(&str, &str)] = &[
        (
            "batch",
            "a response is stored whole; annotate the function that loads the rows",
        ),
        (
            "idle_timeout",
            "HTTP knows no expiry by reads; write `timeout`, and `stale_while_revalidate` to keep \
             what is read fresh",
        ),
        (
            "cache_if",
            "a response is stored by its status and headers: write `statuses(…)`, or have the \
             handler send `Cache-Control: no-store`",
        ),
        (
            "stale_if",
            "a response says itself how long it is fresh: have the handler send `Cache-Control: \
             max-age=…`",
        ),
        (
            "cache_none",
            "a response is stored by its status: write `statuses(200, 404)`",
        ),
        (
            "cache_err",
            "a response is stored by its status: write `statuses(200, 404)`",
        ),
        (
            "refresh_ahead",
            "write `stale_while_revalidate`, which serves while it loads",
        ),
        (
            "soft_timeout",
            "write `stale_while_revalidate`, and put tower-http's `TimeoutLayer` around the route",
        ),
        (
            "hard_timeout",
            "put tower-http's `TimeoutLayer` around the route",
        ),
        ("jitter", "what is loaded by requests spreads by itself"),
        (
            "detach",
            "a load goes on by itself as long as somebody waits for it",
        ),
    ];
    for (name, instead) in INSTEAD {
        if let Some(span) = written.seen.span(name) {
            diag.at(span, format!("`{name}` does not work on a view; {instead}"));
        }
    }
}

/// Options that a view has in part.
fn details(written: &Written, diag: &mut Diag) {
    let options = &written.options;
    if let Some(flight) = &options.single_flight
        && flight.value == SingleFlight::Distributed
    {
        diag.at(
            flight.name,
            "`single_flight = \"distributed\"` does not work on a view; each instance makes a page once \
             and finds what another has stored: leave it out, and write it on the function that \
             loads what is dear",
        );
    }
    if let Some(timeout) = &options.timeout
        && let Time::ByValue(closure) = &timeout.value
    {
        diag.on(
            closure,
            "a view's `timeout` is known before its response; have the handler send `Cache-Control: \
             max-age=…`, which comes first",
        );
    }
    if let Some(closure) = &options.tags_by_value {
        diag.on(
            &closure.value,
            "the tags of a view are known before its response; write them with values of the \
             arguments, `tags(\"user:{id}\")`",
        );
    }
    if let Some(stale) = &options.stale_if_error
        && stale.value.only.is_some()
    {
        diag.at(
            stale.name,
            "`only` does not work on a view; its `stale_if_error` holds for panics and for the statuses \
             408, 500, 502, 503 and 504: leave `only` out",
        );
    }
}
