//! Counts allocations and their bytes: what an entry takes, and what a call allocates.
//!
//! A binary of its own, because the allocator that counts makes every allocation dearer.

mod allocations;
mod memory;

fn main() {
    dewar_benches::cli::run(&[("memory", memory::run), ("allocations", allocations::run)]);
}
