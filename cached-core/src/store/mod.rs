//! Shared stores: what one has to do ([`Store`]), and what stands between one and a cache.
//!
//! A store knows nothing of functions, policies or invalidations: bytes in, bytes out. How entries
//! and versions of scopes are laid out on it is decided in `tier` and `envelope`; time limits and
//! the circuit breaker are the `guard`'s, invalidations on their way the `journal`'s, and what
//! other processes say comes in by the `channel`.

mod breaker;
mod channel;
#[cfg(feature = "tower")]
pub(crate) mod claims;
mod compare;
#[cfg(feature = "database")]
mod database;
pub(crate) mod deliver;
pub(crate) mod envelope;
mod failure;
#[cfg(feature = "filesystem")]
mod filesystem;
pub(crate) mod guard;
mod journal;
mod lasting;
#[cfg(feature = "memcached")]
mod memcached;
mod memory;
pub(crate) mod message;
pub(crate) mod names;
#[cfg(feature = "redis")]
mod redis;
pub(crate) mod renew;
mod status;
pub(crate) mod tier;
pub(crate) mod versions;
pub(crate) mod waits;
pub(crate) mod write;

pub(crate) use channel::listen;
#[cfg(feature = "database")]
pub use database::Database;
pub use failure::StoreFailure;
#[cfg(feature = "filesystem")]
pub use filesystem::Filesystem;
#[cfg(feature = "memcached")]
pub use memcached::Memcached;
pub use memory::StoreMemory;
#[cfg(feature = "redis")]
pub use redis::{Redis, RedisBuilder};
#[cfg(feature = "redis")]
pub(crate) use redis::{
    address as redis_address, check_host as check_redis_host, check_socket as check_redis_socket,
};
pub use status::{Health, StoreStatus};

use std::time::Duration;

use crate::error::Error;
use crate::rt::BoxFuture;

/// A place for bytes that several processes share.
///
/// Write one for a server that dewar does not know, check it with
/// [`testing::store_conformance`](crate::testing::store_conformance), and give it to
/// [`CacheBuilder::shared`](crate::CacheBuilder::shared). The guide has a worked example.
///
/// # The contract
/// 1. **What is read was written.** `get_many` returns, for each key in its order, either exactly
///    the bytes that were last stored under it or nothing. What was stored before an operation
///    began, by any process, and has not run out is what the operation sees.
/// 2. **Forgetting is allowed.** A store may lose anything at any time, a part of it or all: that
///    costs loads and is never wrong. What it must not do is bring back bytes that were replaced or
///    deleted.
/// 3. **One winner.** Of several `add_many` or `swap` of one key at once, by whatever process, one
///    succeeds.
/// 4. **Times to live** are counted by the store from when it is told. Bytes may live a little longer
///    than asked for; entries carry their own times.
/// 5. **One operation, whatever the number of keys**: what cannot be done in one round trip is done
///    in as few as can be. A key may be repeated.
/// 6. **Any executor.** Futures are polled by whatever executor the caller has, tokio or not, and
///    may be dropped at any time.
/// 7. **Errors are for what could not be done**: a key that is not there is none. An operation that
///    failed may have been carried out all the same. [`Error::store`] says that the store could not
///    be reached, which is held against it by the circuit breaker, [`Error::refused`] that it
///    answered and said no.
/// 8. **No secrets in errors**, nor in [`describe`](Store::describe).
///
/// Keys are ASCII without spaces and control characters, at most 240 bytes long; values are any
/// bytes. Time limits, the circuit breaker, retries, compression, and what is logged and counted,
/// are the caller's.
pub trait Store: Send + Sync + 'static {
    /// What is stored under each of the keys, in their order.
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>>;

    /// Stores all items, whatever is there.
    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>>;

    /// Stores all items, whatever is there, so that what was there does not come back, not even with
    /// the machine's power cut: what invalidates is written in this way.
    ///
    /// The same as [`set_many`](Store::set_many) unless it is overridden, which a store has to that
    /// writes to a disk of its own and confirms before the disk does.
    fn set_durably(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        self.set_many(items)
    }

    /// Removes all keys that are there.
    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>>;

    /// Stores each item whose key has nothing, and says for each, in their order, whether it did: of
    /// several with one key, one at most.
    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>>;

    /// Stores the item if its key has exactly the bytes `expected`, and says whether it did.
    ///
    /// Counters and leases stand on it.
    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>>;

    /// The same for several keys, each with what is expected there: says for each, in their order,
    /// whether it was stored. Of a key that is repeated with one expectation, one is.
    ///
    /// As many [`swap`](Store::swap)s side by side, unless it is overridden.
    fn swap_many(&self, swaps: Vec<(Vec<u8>, Item)>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let swaps = swaps.into_iter();
        let swapped = swaps.map(|(expected, item)| self.swap(expected, item));
        let swapped = crate::rt::all(swapped.collect::<Vec<_>>());
        Box::pin(async move { swapped.await.into_iter().collect() })
    }

    /// Has those keys that are there live for at least so long from now on.
    ///
    /// It may do nothing where the store keeps things until it has no room, as it does unless it is
    /// overridden: what it is called for may be lost without harm.
    fn extend_many<'a>(
        &'a self,
        keys: &'a [String],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let _ = (keys, ttl);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Whether it may come to hold an older state than it has confirmed: what each process has
    /// invalidated is compared with that then, and if too much of it is gone, everything is
    /// invalidated.
    ///
    /// Each part by itself unless it is overridden, which is right for any store, and dear for busy
    /// ones.
    fn rollback(&self) -> Rollback {
        Rollback::Parts
    }

    /// How it tells other processes something; none if it cannot.
    fn push(&self) -> Option<&dyn Push> {
        None
    }

    /// What its server holds, for people; none if it cannot say.
    ///
    /// It is asked every few seconds while somebody looks, and a failure fails nobody.
    fn memory(&self) -> BoxFuture<'_, Result<Option<StoreMemory>, Error>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// What it is and where, for people: no credentials.
    fn describe(&self) -> String {
        std::any::type_name::<Self>().to_owned()
    }
}

/// How a store may come to hold an older state: a server that restarts from a snapshot, a replica that
/// takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rollback {
    /// It does not: what is lost is gone.
    Never,
    /// All that it holds at once: a server, or a directory.
    Whole,
    /// Each part by itself: several servers.
    Parts,
}

/// How a store tells all processes something at once.
///
/// Messages say what was invalidated; they carry no values, and are a few kilobytes at most.
pub trait Push: Send + Sync {
    /// Sends a message to all who listen to the channel, this process included.
    ///
    /// It arrives after everything that was stored before the call can be read.
    fn publish<'a>(
        &'a self,
        channel: &'a str,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Listens to a channel until that is no longer possible, and returns why.
    ///
    /// `hear` is called once when listening has begun, with no message, and then for each message in
    /// the order of their sending. No message that was sent in between may be lost without an end:
    /// the caller then listens afresh, and drops what it might have missed.
    fn listen<'a>(
        &'a self,
        channel: &'a str,
        hear: &'a (dyn Fn(Option<&[u8]>) + Send + Sync),
    ) -> BoxFuture<'a, Error>;
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

impl<S: Store + ?Sized> Store for std::sync::Arc<S> {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        (**self).get_many(keys)
    }

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        (**self).set_many(items)
    }

    fn set_durably(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        (**self).set_durably(items)
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        (**self).delete_many(keys)
    }

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        (**self).add_many(items)
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        (**self).swap(expected, item)
    }

    fn swap_many(&self, swaps: Vec<(Vec<u8>, Item)>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        (**self).swap_many(swaps)
    }

    fn extend_many<'a>(
        &'a self,
        keys: &'a [String],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<(), Error>> {
        (**self).extend_many(keys, ttl)
    }

    fn rollback(&self) -> Rollback {
        (**self).rollback()
    }

    fn push(&self) -> Option<&dyn Push> {
        (**self).push()
    }

    fn memory(&self) -> BoxFuture<'_, Result<Option<StoreMemory>, Error>> {
        (**self).memory()
    }

    fn describe(&self) -> String {
        (**self).describe()
    }
}
