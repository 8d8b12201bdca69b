//! HTTP responses: one engine for annotated handlers and for [`CacheLayer`], strictly by RFC 9111.
//!
//! # Where things are
//! - Pure functions of header fields, each with tables of tests by section: [`control`]
//!   (`Cache-Control`), [`date`], [`list`], [`freshness`], [`vary`], [`conditional`], [`range`],
//!   [`storing`], [`freshen`], [`status`] (`Cache-Status`), [`query`], [`url`].
//! - What is kept: [`stored`]. One entry of the memory tier holds all variants of one URL; its
//!   scopes are the function or layer, the levels of the prefix, the tags, and the URL itself, so
//!   that invalidations work on responses as on everything else.
//! - What happens: [`look`](mod@look) reads, [`job`] runs the handler, [`lead`] decides what becomes
//!   of its response, [`load`] stores it, [`fill`] reads a body that does not come at once.
//!
//! # The engine's interface
//! The layer and generated code use the same few names:
//!
//! ```text
//! static VIEW: LazyLock<Arc<View>> = LazyLock::new(|| Arc::new(View::of(&SITE, policy)));
//!
//! let found = look(&VIEW, &cache, marker, &request_parts, extra, |labels| {
//!     labels.prefix(…).tag(…);
//! });
//! let response = match found {
//!     Look::Answer(response) => response,
//!     Look::Run(job) => job.run(move |conditions| async move {
//!         // A layer puts `conditions` into the request; a handler that ignores them is right too.
//!         Ok::<_, Infallible>(handler(…).await.into_response().map(ViewBody::new))
//!     }).await?,
//! };
//! ```
//!
//! `extra` are the arguments that count for the key beside the URL, as nested pairs of
//! `key::Part`s; `marker` is the type that tells instantiations apart. The future that `run`
//! returns must own what it needs: it may go on in the background, for a response that is served
//! stale meanwhile, or when the client is gone while others wait.
//!
//! # What is never shared by accident
//! See [`ViewPolicy`]: a request with `Authorization` or `Cookie` neither reads nor stores what does
//! not say that it is for everybody, a response that sets a cookie is not stored, and requests that
//! the key cannot tell apart (a body, two hosts, an upgrade) go past the cache.

mod body;
mod conditional;
mod conditional_layer;
mod control;
mod date;
mod fill;
mod freshen;
mod freshness;
mod invalidate;
mod job;
mod layer;
mod lead;
mod list;
mod load;
mod look;
mod policy;
mod query;
mod range;
mod scope_layer;
mod service;
mod set_control;
mod status;
mod stored;
mod storing;
mod url;
mod vary;
mod view;

pub use body::ViewBody;
pub use conditional::Conditions;
pub use conditional_layer::{ConditionalLayer, ConditionalService, conditional};
pub use layer::CacheLayer;
pub use policy::{Credentials, SetCookie, ViewPolicy};
pub use scope_layer::{ScopeFuture, ScopeLayer, ScopeService};
pub use service::{CacheFuture, CacheService};
pub use set_control::{ControlFuture, ControlLayer, ControlService, cache_control, never_cache};
pub use url::OriginalUri;

#[doc(hidden)]
pub use job::Job;
#[doc(hidden)]
pub use look::{Look, look};
#[doc(hidden)]
pub use view::{Labels, View};
