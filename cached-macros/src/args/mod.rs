//! The grammar: from tokens to the model. What is wrong in itself is found here; what is wrong
//! for the annotated function is found by `check`.

mod cached;
mod elsewhere;
mod entry;
mod given;
mod invalidation;
mod labels;
mod literal;
mod query;
mod several;
mod share;
mod split;
mod stale;
mod stats;
mod table;
mod target;
mod template;
mod time;
mod value;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use cached::{Written, cached};
pub(crate) use entry::entry;
pub(crate) use invalidation::{invalidate, invalidates};
pub(crate) use stats::stats;
pub(crate) use table::VIEW_OPTIONS;
