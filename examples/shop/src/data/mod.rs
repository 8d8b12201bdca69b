//! What the shop knows: the functions that read carry `#[cached]`, those that write `#[invalidates]`.
//!
//! Prefixes and tags: `product:{id}` for one product, `user:{id}` for one user and all that belongs
//! to them, `weather:{city}`; the tags `products` and `users` for everything that shows several, whole pages included.

pub mod compare;
pub mod fibonacci;
pub mod products;
pub mod reports;
pub mod users;
pub mod weather;

/// How a reader wants to be served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// From the cache, if it is there.
    #[default]
    Cached,
    /// Past the cache, which stays as it is: `?cache=false`.
    Bypassed,
    /// Read afresh, and stored for all: `?refresh=1`.
    Refreshed,
}
