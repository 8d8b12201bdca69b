//! The only names that generated code may use. Not part of the public interface: they change from
//! one release to the next, together with the macros.

#[cfg(feature = "axum")]
pub use crate::axum::{
    Asked, Response, ViewSite, counted, extracted, respond, shared_view, skipped, view,
};
pub use crate::cache::called::{Called, ViewsGoByUrl};
pub use crate::cache::entry::{BlockingEntry, Entry};
pub use crate::cache::function::FunctionStats;
pub use crate::cache::invalidate::{Invalidated, Invalidation, Pending};
pub use crate::engine::answers::Answers;
pub use crate::engine::at::{At, Mode, at, at_unless_stale};
pub use crate::engine::batch::{
    Batch, BatchEntry, BlockingBatchEntry, DriveMany, LoadMany, auto_many, sharable,
};
pub use crate::engine::run::Drive;
pub use crate::engine::site::Site;
#[cfg(feature = "tower")]
pub use crate::http::UrlText;
pub use crate::key::{arg, borrowed, inside};
pub use crate::outcome::{Succeeded, out, out_borrowed};
pub use crate::policy::Policy;
pub use crate::scope::Label;

/// Every option left out.
pub const POLICY: Policy = Policy::DEFAULT;
/// Serve what is there, else load.
pub const READ: Mode = Mode::Read;
/// Only find the place.
pub const KEY: Mode = Mode::Key;
