//! Models of what runs concurrently in dewar, each run through every schedule by loom.
//!
//! [`ticks`](models::ticks), [`flight`](models::flight) and [`fill`](models::fill) check the very
//! files of the library: they are compiled here against the primitives of [`sync`].
//! [`memory`](models::memory) checks a protocol, rebuilt here step by step, since what the library
//! builds it from (papaya, moka) does not run under loom.
//!
//! ```text
//! cargo test --release --manifest-path tests/model/Cargo.toml
//! ```

#[allow(dead_code)]
#[path = "../../../cached-core/src/engine/flight.rs"]
mod flight;
#[allow(dead_code)]
#[path = "../../../cached-core/src/scope/glob.rs"]
mod glob;
mod http;
#[allow(dead_code)]
#[path = "../../../cached-core/src/scope/ticks.rs"]
mod ticks;

mod scope {
    pub(crate) use crate::glob::Glob;
}

pub mod models;
mod run;
mod sync;
