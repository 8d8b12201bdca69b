//! Shared stores: what one has to do ([`Store`]), and the tier that puts one behind memory
//! (`tier`).
//!
//! A store knows nothing of functions, policies or invalidations: bytes in, bytes out. How entries
//! and versions of scopes are laid out on it is decided in `tier` and `envelope`.

pub(crate) mod envelope;
pub(crate) mod tier;

use std::time::Duration;

use crate::error::Error;
use crate::rt::BoxFuture;

/// A place for bytes that several processes share.
///
/// Every method is one operation however many keys it is given; what a store cannot do in one
/// round trip it does in as few as it can. A store may forget anything at any time: that costs
/// loads and is never wrong. It must not return bytes that were not stored under that key, and an
/// `add` must have one winner.
///
/// Errors are for what could not be done at all: a key that is not there is no error. The caller
/// puts a time limit on every operation, so a store need not have one.
pub trait Store: Send + Sync + 'static {
    /// What is stored under each of the keys, in their order.
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>>;

    /// Stores all items.
    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>>;

    /// Removes all keys that are there.
    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>>;

    /// Stores the item if its key has nothing, and says whether it did.
    fn add(&self, item: Item) -> BoxFuture<'_, Result<bool, Error>>;
}

/// What a store has under a key.
pub type Found = Option<Vec<u8>>;

/// Bytes to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Readable, and free of spaces and control characters.
    pub key: String,
    /// Anything.
    pub value: Vec<u8>,
    /// How long to keep it; `None` for as long as there is room.
    pub ttl: Option<Duration>,
}
