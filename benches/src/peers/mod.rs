//! Who takes part, on equal terms: a bound on entries and a timeout of an hour, in each of them.
//!
//! Every file has the same shape: the functions of [`body`] behind that cache, as a user would
//! write them, and [`Store`]s of a chosen capacity. A cache that is no attribute gets the function
//! around it; one without a timeout gets a deadline in its values, checked by the cheapest clock
//! there is. Where the attribute needs an owned key, the function makes one.

use std::time::Duration;

pub mod body;
pub mod cached;
pub mod cachelito;
pub mod concurrent_cached;
pub mod dewar;
pub mod floor;
pub mod foyer;
pub mod memoize;
pub mod moka;
pub mod quick_cache;
pub mod timed;

/// The packages whose versions are stated.
pub const PACKAGES: &[&str] = &[
    "axum-response-cache",
    "dewar",
    "cached",
    "cachelito",
    "foyer",
    "memoize",
    "moka",
    "papaya",
    "quick_cache",
    "redis",
    "tower-http-cache",
];

/// How many entries each cache of the hit groups may hold: more than are put in.
pub const CAPACITY: usize = 100_000;

/// How long entries live: longer than any measurement.
pub const TIMEOUT: Duration = Duration::from_secs(3_600);

/// A cache of numbers by numbers with a bound and a timeout, in batches, so that calling it through
/// a table costs nothing for each key.
pub trait Store: Send + Sync {
    /// Asks for the value of each key, loaded where it is missing; returns how many were.
    fn call(&self, keys: &[u64]) -> u64;

    /// Takes each key out.
    fn invalidate(&self, keys: &[u64]);

    /// Has the cache do now what it has put off.
    fn settle(&self) {}
}

/// A kind of store: the head of its column, and one for so many entries.
pub type Kind = (&'static str, fn(usize) -> Box<dyn Store>);

/// All stores whose capacity can be chosen.
pub const STORES: &[Kind] = &[
    (dewar::NAME, dewar::store),
    (cached::NAME, cached::store),
    (concurrent_cached::NAME, concurrent_cached::store),
    (quick_cache::NAME, quick_cache::store),
    (foyer::NAME, foyer::store),
    (moka::NAME, moka::store),
];

/// Asks through a function with one key after the other.
fn call_each(keys: &[u64], call: impl Fn(u64) -> u64) -> u64 {
    let before = body::loads();
    for key in keys {
        std::hint::black_box(call(std::hint::black_box(*key)));
    }
    body::loads() - before
}
