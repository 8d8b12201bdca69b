//! The macros of `dewar`; use them through the `dewar` crate.
//!
//! Four steps, one folder each: `args` reads the tokens into the plain data of `model`, `check`
//! holds it against the annotated function, `expand` turns it into code. `context` finds out
//! where the function stands, `diag` collects what is wrong on the way.

mod args;
mod check;
mod context;
mod diag;
mod expand;
#[cfg(test)]
mod mistakes;
mod model;
mod pipeline;
mod words;

use proc_macro::TokenStream;

#[doc = include_str!("docs/cached.md")]
#[proc_macro_attribute]
pub fn cached(args: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::cached(args.into(), item.into()).into()
}

#[doc = include_str!("docs/invalidates.md")]
#[proc_macro_attribute]
pub fn invalidates(args: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::invalidates(args.into(), item.into()).into()
}

#[doc = include_str!("docs/invalidate.md")]
#[proc_macro]
pub fn invalidate(args: TokenStream) -> TokenStream {
    pipeline::invalidate(args.into()).into()
}

#[doc = include_str!("docs/entry.md")]
#[proc_macro]
pub fn entry(args: TokenStream) -> TokenStream {
    pipeline::entry(args.into()).into()
}

#[doc = include_str!("docs/stats.md")]
#[proc_macro]
pub fn stats(args: TokenStream) -> TokenStream {
    pipeline::stats(args.into()).into()
}
