//! What dewar costs beside other caches, measured side by side in one run.
//!
//! Here: how to measure ([`measure`]), what to ask for ([`traces`]), who takes part ([`peers`]),
//! what is compared ([`groups`], [`calls`]), what is aimed at ([`targets`]) and how it is written down
//! ([`report`], [`machine`]). Nothing here counts allocations: the allocator that does would slow
//! every contender down, so the binary `counting` has it to itself.

pub mod calls;
pub mod cli;
pub mod groups;
pub mod machine;
pub mod measure;
pub mod peers;
pub mod report;
pub mod summary;
pub mod targets;

pub use timing::traces;
