//! HTTP responses in the cache, strictly by RFC 9111.
//!
//! [`CacheLayer`] caches what is behind it in a tower stack: an axum router, any other service, an
//! origin behind a reverse proxy. [`ViewPolicy`] says what may be stored and for how long.
//! [`Invalidation::url`](crate::Invalidation::url) and the prefixes and tags of a layer take
//! responses out again, as all else in a cache.
//!
//! Beside it stand [`cache_control`] and [`never_cache`], which tell other caches what they may do,
//! [`conditional`], which saves the way to clients that have a response already, and [`ScopeLayer`],
//! which gives an application a cache of its own.
//!
//! # What is never shared by accident
//! A request with `Authorization` or `Cookie` neither reads nor stores what does not say that it is
//! for everybody; a response that sets a cookie is not stored; `private`, `no-store` and `Vary: *` are
//! obeyed; and requests that the key cannot tell apart (with a body, two hosts, an upgrade, a URL
//! beyond 8 KiB) go past the cache. What a handler reads besides, `X-Forwarded-Host` for instance, has
//! to be named: see [`ViewPolicy::vary`].

// Where things are:
// - Pure functions of header fields, each with tables of tests by section: `control`
//   (`Cache-Control`), `date`, `list`, `freshness`, `vary`, `conditional`, `range`, `storing`,
//   `freshen`, `status` (`Cache-Status`), `query`, `url`.
// - What is kept: `stored`. One entry of the memory tier holds all variants of one URL; its scopes
//   are the function or layer, the levels of the prefix, the tags, and the URL itself, so that
//   invalidations work on responses as on everything else.
// - What happens: `look` reads, `job` runs the handler, `wait` waits for another's of the same `variant`, `lead` decides
//   what its response is taken for: `keep` has one that is stored, `validated` one that speaks of what
//   is stored, `pass` one that is not (`unstored` says to caches on the way whose it is), `outdated` one
//   that proves what is stored wrong, `failed` one that has failed. `load` stores it, `fill` reads a body
//   that does not come at once.
//   `shared` asks the shared store before the handler runs and writes there what it made, as `wire`
//   puts it into bytes; `background` goes on with what has no client.
//
// The layer and generated code use the same few names of the engine:
//
//     static VIEW: LazyLock<Arc<View>> = LazyLock::new(|| Arc::new(View::of(&SITE, policy)));
//
//     let way = Way { mode: READ, marker, travels: true };
//     let found = look(way, &VIEW, &cache, &request_parts, extra, |labels| {
//         labels.prefix(…).tag(…);
//     });
//     let response = match found {
//         Look::Answer(response) => response,
//         Look::Run(job) => job.run(move |conditions| async move {
//             // A layer puts `conditions` into the request; a handler that ignores them is right too.
//             Ok::<_, Infallible>(handler(…).await.into_response().map(ViewBody::new))
//         }).await?,
//     };
//
// `extra` are the arguments that count for the key beside the URL, as nested pairs of `key::Part`s;
// `marker` is the type that tells instantiations apart. The future that `run` returns must own what it
// needs: it may go on in the background, for a response that is served stale meanwhile, or when the
// client is gone while others wait.

mod again;
mod alone;
mod background;
mod body;
mod conditional;
mod conditional_layer;
mod content;
mod control;
mod date;
mod failed;
#[cfg(test)]
mod fields;
mod fill;
mod freshen;
mod freshness;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod invalidate;
mod job;
mod keep;
mod landing;
mod layer;
mod lead;
mod list;
mod load;
mod look;
mod outdated;
mod pass;
mod policy;
mod query;
mod range;
mod report_layer;
mod scope_body;
mod scope_layer;
mod service;
mod set_control;
#[cfg(feature = "stores")]
mod shared;
mod status;
mod stored;
mod storing;
mod targeted;
mod unstored;
mod url;
mod validated;
mod variant;
mod vary;
mod view;
mod wait;
#[cfg(feature = "stores")]
mod wire;

pub use body::ViewBody;
pub use conditional::Conditions;
pub use conditional_layer::{ConditionalLayer, ConditionalService, conditional};
pub use layer::CacheLayer;
pub use policy::{Credentials, SetCookie, ViewPolicy};
pub use report_layer::{ReportFuture, ReportLayer, ReportService};
pub use scope_body::ScopeBody;
pub use scope_layer::{ScopeFuture, ScopeLayer, ScopeService};
pub use service::{CacheFuture, CacheService};
pub use set_control::{ControlFuture, ControlLayer, ControlService, cache_control, never_cache};
pub use url::OriginalUri;

#[doc(hidden)]
pub use job::Job;
#[doc(hidden)]
pub use look::Look;
#[doc(hidden)]
pub use url::UrlText;
#[doc(hidden)]
pub use view::{Labels, View};

#[cfg(feature = "axum")]
pub(crate) use conditional::judged;
#[cfg(feature = "axum")]
pub(crate) use look::{Way, look};
#[cfg(feature = "axum")]
pub(crate) use pass::add_vary;
#[cfg(feature = "axum")]
pub(crate) use unstored::{Unstored, guard};
#[cfg(feature = "axum")]
pub(crate) use url::{of as original, seen as url_seen};
