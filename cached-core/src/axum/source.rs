//! Where an argument of a handler comes from, decided by its type.

use axum::extract::{
    MatchedPath, NestedPath, OriginalUri, Path, Query, RawPathParams, RawQuery, State,
};
use http::{Method, Uri};

/// An extractor that tells nothing but what the URL says.
///
/// The URL is part of a view's key anyway, so such an argument adds nothing to it. axum's `Path`,
/// `Query`, `MatchedPath`, `NestedPath`, `Uri`, `OriginalUri`, `RawQuery`, `RawPathParams` and `Method`
/// are known; implement it for an extractor of your own that looks at nothing else: not at a database,
/// which others change. One that looks
/// at a header, a cookie, an extension or the body must not say so: its page would be shown to
/// everybody who asks for the URL.
///
/// ```
/// use axum::extract::{FromRequestParts, Query};
/// use dewar::axum::FromUrl;
/// # use http::request::Parts;
/// # use std::{collections::HashMap, convert::Infallible};
///
/// struct Page(usize);
///
/// impl<S: Send + Sync> FromRequestParts<S> for Page {
///     type Rejection = Infallible;
///
///     async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
///         let query = Query::<HashMap<String, String>>::from_request_parts(parts, state).await;
///         let page = query.ok().and_then(|query| query.get("page")?.parse().ok());
///         Ok(Page(page.unwrap_or(1)))
///     }
/// }
///
/// impl FromUrl for Page {}
///
/// #[dewar::cached(view, timeout = 60)]
/// async fn products(page: Page) -> String {
///     format!("page {}", page.0)
/// }
/// ```
pub trait FromUrl {}

/// An extractor that tells nothing about the request: a pool, a client, settings.
///
/// axum's `State` is known; implement it for an extractor of your own that looks at the state alone.
/// What it has read there may be older than what another process has invalidated since, so the pages
/// of its handlers stay in the process; those of a [`Handle`] do not.
pub trait FromState {}

/// An extractor that takes a handle from the state, a pool or a client, and reads nothing by it: what
/// the page is made of, the handler reads.
///
/// ```
/// use axum::extract::{FromRef, FromRequestParts};
/// use dewar::axum::{FromState, Handle};
/// # use http::request::Parts;
/// # use std::convert::Infallible;
///
/// #[derive(Clone)]
/// struct Pool;
///
/// struct Db(Pool);
///
/// impl<S: Send + Sync> FromRequestParts<S> for Db
/// where
///     Pool: FromRef<S>,
/// {
///     type Rejection = Infallible;
///
///     async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self, Infallible> {
///         Ok(Db(Pool::from_ref(state)))
///     }
/// }
///
/// impl FromState for Db {}
/// impl Handle for Db {}
/// ```
pub trait Handle: FromState {}

impl<T> FromUrl for Path<T> {}
impl<T> FromUrl for Query<T> {}
impl FromUrl for MatchedPath {}
impl FromUrl for NestedPath {}
impl FromUrl for OriginalUri {}
impl FromUrl for RawPathParams {}
impl FromUrl for RawQuery {}
impl FromUrl for Uri {}
// What is stored was made for a GET, and answers a HEAD too.
impl FromUrl for Method {}

impl<T: FromUrl> FromUrl for Option<T> {}
impl<T: FromUrl, R> FromUrl for Result<T, R> {}

impl<T> FromState for State<T> {}
impl FromState for () {}
impl Handle for () {}

macro_rules! tuples {
    ($($($t:ident)+;)*) => {$(
        impl<$($t: FromUrl),+> FromUrl for ($($t,)+) {}
    )*};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
}

/// What other processes can know a page by.
///
/// There is nothing to implement: what comes from the URL can, the state and a [`Handle`] from it, and
/// what is `serde::Serialize`. This trait only explains that an argument is none of them.
#[diagnostic::on_unimplemented(
    message = "the pages of this handler cannot reach other processes",
    label = "`shared` is meant for pages that do",
    note = "an argument that does not come from the URL or the state is known to other processes by its serialised form alone: derive `serde::Serialize` for it",
    note = "an extractor of your own that takes no more than a handle from the state says so: `impl dewar::axum::Handle for …`",
    note = "what `skip(…)` leaves out of the key, and what `key = …` takes a part of, is not known to them at all: take an extractor that holds no more than counts, or leave `shared` out"
)]
pub trait Travels {}

impl Travels for () {}
impl<A: Travels, B: Travels> Travels for (A, B) {}

/// What a view's key can hold of an argument.
///
/// There is nothing to implement: a type that is `Hash + Eq + Clone`, or `serde::Serialize`, or `Hash`
/// without `Eq`, can. This trait only explains that a type is none of them, and nothing implements
/// it.
#[diagnostic::on_unimplemented(
    message = "a cached page cannot tell one `{T}` from another",
    label = "does not come from the URL alone, and cannot be part of the key: it is neither `Hash + Eq + Clone` nor `Serialize`",
    note = "an argument that is not in the key makes a page for one user that everybody else would be given",
    note = "derive `Hash`, `PartialEq`, `Eq` and `Clone` (or `serde::Serialize`), so that each value has a page of its own",
    note = "or name what counts in it, `key = (user.id)`, or, if the page is the same whoever asks, leave it out: `skip(…)`; requests with cookies then go past the cache unless `cookies` says otherwise",
    note = "an extractor of your own that looks at the URL alone says so: `impl dewar::axum::FromUrl for …`; one that looks at the state alone: `dewar::axum::FromState`"
)]
pub trait ViewKey<T: ?Sized> {
    /// There is none.
    #[doc(hidden)]
    fn nothing(&self, value: &T);
}
