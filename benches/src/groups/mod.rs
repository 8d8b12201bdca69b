//! What is compared, one file for each group.

pub mod compile;
pub mod conformance;
pub mod hit;
pub mod hit_ratio;
pub mod instructions;
pub mod invalidation;
pub mod miss;
pub mod observed;
pub mod scaling;
pub mod stampede;
#[cfg(feature = "servers")]
pub mod stores;
#[cfg(feature = "servers")]
pub mod view;

use crate::cli::Group;

/// The groups that measure times, and what is not measured in this process.
pub const TIMED: &[Group] = &[
    ("hit", hit::run),
    ("instructions", instructions::run),
    ("observed", observed::run),
    ("miss", miss::run),
    ("stampede", stampede::run),
    ("invalidation", invalidation::run),
    ("hit_ratio", hit_ratio::run),
    ("scaling", scaling::run),
    ("conformance", conformance::run),
    ("compile", compile::run),
];

/// Those about servers, for which the library has more features.
#[cfg(feature = "servers")]
pub const SERVERS: &[Group] = &[("stores", stores::run), ("view", view::run)];
