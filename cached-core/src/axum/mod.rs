//! Cached views: `#[cached(view, …)]` on axum handlers.
//!
//! What an annotated handler answers is stored whole (status, headers, body) and served again to
//! whoever asks for the same. The key is the URL and every argument of the handler, so that a page
//! made for one user cannot reach another by oversight: see [`FromUrl`].
//!
//! What happens to a response is the business of [`http`](crate::http), the engine that
//! [`CacheLayer`](crate::http::CacheLayer) uses too.

// Where things are: `asked` is the request as the cache needs it, taken before the handler's own
// extractors run; `source` says where an argument comes from, `argument` how it takes part in the
// key; `rules` are the options of an annotation, `view` is what generated code calls.

mod argument;
mod asked;
mod rules;
mod source;
mod view;

pub use asked::Asked;
pub use source::{FromState, FromUrl, Handle, Travels, ViewKey};

#[doc(hidden)]
pub use argument::{Arguments, Counted, Known, Skipped, counted, extracted, skipped};
#[doc(hidden)]
pub use axum_core::response::Response;
#[doc(hidden)]
pub use rules::Rules;
#[doc(hidden)]
pub use view::{ViewAt, ViewSite, respond, shared_view, view};
