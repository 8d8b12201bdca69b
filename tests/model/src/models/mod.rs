//! The models. `tests/models.rs` lists them all.

pub mod fill;
pub mod flight;
pub mod memory;
pub mod parked;
pub mod ticks;
