//! What an annotation means, once parsed: plain data, no tokens left to interpret.
//!
//! `args` makes these values from tokens, `check` looks for contradictions between them and the
//! annotated function, `expand` turns them into code. Nothing here parses or emits.

mod template;
mod view;

pub(crate) use template::{Piece, Template};
pub(crate) use view::{Credentials, Etag, Query, Size, ViewOptions};

use proc_macro2::Span;
use syn::{Expr, ExprClosure, Ident, Path};

/// A value together with the span of the option's name, so that an error can point at the word.
#[derive(Clone)]
pub(crate) struct Named<T> {
    pub(crate) name: Span,
    pub(crate) value: T,
}

impl<T> Named<T> {
    pub(crate) fn new(name: Span, value: T) -> Self {
        Named { name, value }
    }
}

/// A length of time as it was written.
#[derive(Clone)]
pub(crate) enum Time {
    /// A literal, in nanoseconds.
    Fixed(u64),
    /// `never`.
    Never,
    /// Any expression of type `Duration`; arguments of the function are in scope, by reference.
    Expr(Expr),
    /// A closure on the value that is to be stored.
    ByValue(ExprClosure),
}

/// `jitter`: how far the expiry of entries stored together is spread.
#[derive(Clone, Copy)]
pub(crate) enum Jitter {
    /// In thousandths of the timeout.
    PerMille(u16),
    /// In nanoseconds.
    Fixed(u64),
}

/// `single_flight`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SingleFlight {
    Off,
    Process,
    /// One load for all processes.
    Distributed,
}

/// `stale_if_error`.
#[derive(Clone)]
pub(crate) struct StaleIfError {
    /// How long after expiry the old value may still be served, in nanoseconds.
    pub(crate) window: u64,
    /// How long after a failed load the next one is tried, in nanoseconds; none: the default.
    pub(crate) retry: Option<u64>,
    /// Which errors it holds for: a closure on `&E`.
    pub(crate) only: Option<ExprClosure>,
}

/// `cache = …`.
#[derive(Clone)]
pub(crate) enum CacheRef {
    /// A path to a `static` cache (or to a function-less expression path).
    Path(Path),
    /// The name of a registered cache.
    Name(syn::LitStr),
}

/// An argument left out of the key.
#[derive(Clone)]
pub(crate) enum Skipped {
    Receiver(Span),
    Argument(Ident),
}

/// `cache_none` and `cache_err`.
#[derive(Clone)]
pub(crate) enum Negative {
    /// Stored for as long as any other result.
    Default,
    /// Stored for its own time, in nanoseconds.
    For(u64),
}

/// Everything `#[cached(...)]` says. `None` and empty vectors stand for what was left out.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) timeout: Option<Named<Time>>,
    pub(crate) idle_timeout: Option<Named<u64>>,
    pub(crate) key_prefix: Option<Named<Template>>,
    pub(crate) key: Option<Named<Vec<Expr>>>,
    pub(crate) skip: Vec<Named<Skipped>>,
    pub(crate) tags: Vec<Named<Template>>,
    pub(crate) tags_by_value: Option<Named<ExprClosure>>,
    pub(crate) cache: Option<Named<CacheRef>>,
    pub(crate) unless: Option<Named<Expr>>,
    pub(crate) refresh_if: Option<Named<Expr>>,
    pub(crate) stale_if: Option<Named<ExprClosure>>,
    pub(crate) cache_if: Option<Named<ExprClosure>>,
    pub(crate) cache_none: Option<Named<Negative>>,
    pub(crate) cache_err: Option<Named<Negative>>,
    pub(crate) stale_while_revalidate: Option<Named<u64>>,
    pub(crate) stale_if_error: Option<Named<StaleIfError>>,
    /// In thousandths of the timeout.
    pub(crate) refresh_ahead: Option<Named<u16>>,
    pub(crate) soft_timeout: Option<Named<u64>>,
    pub(crate) hard_timeout: Option<Named<u64>>,
    pub(crate) jitter: Option<Named<Jitter>>,
    pub(crate) single_flight: Option<Named<SingleFlight>>,
    pub(crate) detach: Option<Named<bool>>,
    pub(crate) batch: Option<Named<Ident>>,
    /// Any constant expression that is `Hash + Eq` (usually an integer or a string literal).
    pub(crate) version: Option<Named<Expr>>,
    /// `local`: meant to stay in this process.
    pub(crate) local: Option<Span>,
    /// `view`: an axum handler.
    pub(crate) view: Option<Span>,
    /// What only views have.
    pub(crate) of_view: ViewOptions,
    /// `shared`: meant to reach other processes.
    pub(crate) shared: Option<Span>,
    /// `companion = name`: what the hidden companion of a free function is called when a type or
    /// a module of the function's own name stands beside it.
    pub(crate) companion: Option<Named<Ident>>,
    /// `in_impl`, `in_trait`: said by hand where the macro cannot see it (see `context`).
    pub(crate) context: Option<Named<Context>>,
}

/// Where the annotated function stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Context {
    /// In a module or in a function body.
    Free,
    /// In an inherent `impl` block; `generic` when the block has parameters of its own.
    Impl { generic: bool },
    /// In an `impl Trait for Type` or a `trait` block: no hidden sibling can be added there.
    Trait,
}

/// One thing to invalidate: the forms that `invalidate!` and `#[invalidates]` share.
pub(crate) enum Target {
    /// `f(args)`, `module::f::<T>(args)`, `Type::f(args)`; an argument `_` stands for a skipped one.
    Call {
        path: syn::ExprPath,
        args: Vec<Argument>,
    },
    /// `repo.f(args)`.
    MethodCall {
        receiver: Box<Expr>,
        method: Ident,
        turbofish: Option<syn::AngleBracketedGenericArguments>,
        args: Vec<Argument>,
    },
    /// `f`, `module::f`, `Type::f`: every entry of the function.
    Function {
        path: syn::ExprPath,
    },
    Prefix(Named<Template>),
    Tag(Named<Template>),
    /// A glob over prefixes, literal but for its wildcards and `{}` pieces.
    Pattern(Named<Template>),
    /// The responses for one URL, or for a path with any query.
    Url(Named<Template>),
    Path(Named<Template>),
    All(Span),
}

/// An argument of a call inside `invalidate!`.
pub(crate) enum Argument {
    Given(Box<Expr>),
    /// `_`: the function skips it.
    Skipped(Span),
}

/// What `invalidate!(...)` says.
pub(crate) struct Invalidation {
    pub(crate) soft: bool,
    pub(crate) cache: Option<CacheRef>,
    pub(crate) targets: Vec<Target>,
}

/// What `#[invalidates(...)]` says.
pub(crate) struct Invalidates {
    pub(crate) invalidation: Invalidation,
    /// Also when the function returned an `Err`.
    pub(crate) always: bool,
    /// Once more ahead of the body.
    pub(crate) before: bool,
}
