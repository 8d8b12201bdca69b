//! The options that only axum views have.

use syn::{Expr, LitStr};

use super::Named;

/// What a view says beside the options of all functions.
#[derive(Default)]
pub(crate) struct ViewOptions {
    /// `methods`: whether HEAD is answered from what a GET has stored.
    pub(crate) head: Option<Named<bool>>,
    pub(crate) statuses: Option<Named<Vec<u16>>>,
    pub(crate) query: Option<Named<Query>>,
    /// Request headers, in lower case.
    pub(crate) vary: Option<Named<Vec<LitStr>>>,
    pub(crate) cookies: Option<Named<Credentials>>,
    pub(crate) authorization: Option<Named<Credentials>>,
    pub(crate) host: Option<Named<bool>>,
    pub(crate) body_limit: Option<Named<Size>>,
    /// What clients are told; `Some(None)`: nothing.
    pub(crate) cache_control: Option<Named<Option<LitStr>>>,
    pub(crate) etag: Option<Named<Etag>>,
    pub(crate) last_modified: Option<Named<bool>>,
}

/// `query(…)`.
#[derive(Default)]
pub(crate) struct Query {
    pub(crate) sorted: bool,
    pub(crate) only: Option<Vec<LitStr>>,
    pub(crate) ignore: Vec<LitStr>,
}

/// `cookies`, `authorization`: how a request that says who asks is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials {
    Private,
    Keyed,
    Ignored,
}

/// `etag`: the kind of entity tag that a response without one is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Etag {
    Strong,
    Weak,
    None,
}

/// A number of bytes.
pub(crate) enum Size {
    Fixed(u64),
    /// Any constant expression of type `usize`.
    Expr(Expr),
}
