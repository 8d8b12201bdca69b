//! A store that fails, stalls and forgets on command.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::error::Error;
use crate::rt::BoxFuture;
use crate::store::{Found, Item, Store};
use crate::sync::lock;

/// A shared store within the process, for tests: several caches built on clones of it are like
/// several processes on one server, and it fails, stalls and forgets on command.
///
/// ```
/// use dewar::testing::{FaultyStore, TestCache};
/// use dewar::{Cache, cached};
///
/// #[cached(timeout = 60)]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// let store = FaultyStore::new();
/// let one = TestCache::with(Cache::builder().shared(store.clone()))?;
/// let other = TestCache::with(Cache::builder().shared(store.clone()))?;
/// one.run(|| square(3));
/// other.run(|| square(3));
/// assert_eq!((one.stats().loads, other.stats().loads), (1, 0));
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct FaultyStore(Arc<Inner>);

#[derive(Default)]
struct Inner {
    items: Mutex<HashMap<String, Vec<u8>>>,
    failing: AtomicBool,
    stalled: AtomicBool,
    operations: AtomicUsize,
}

impl FaultyStore {
    /// An empty store in good health.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has every operation fail from now on, or no more.
    pub fn fail(&self, failing: bool) {
        self.0.failing.store(failing, Ordering::SeqCst);
    }

    /// Has every operation that begins from now on never end, or no more.
    pub fn stall(&self, stalled: bool) {
        self.0.stalled.store(stalled, Ordering::SeqCst);
    }

    /// Loses everything, as a server does that is restarted empty.
    pub fn forget(&self) {
        lock(&self.0.items).clear();
    }

    /// Loses what is stored under keys that hold this text.
    pub fn forget_keys(&self, text: &str) {
        lock(&self.0.items).retain(|key, _| !key.contains(text));
    }

    /// Changes everything that is stored under keys that hold this text.
    pub fn damage(&self, text: &str, change: impl Fn(&mut Vec<u8>)) {
        lock(&self.0.items)
            .iter_mut()
            .filter(|(key, _)| key.contains(text))
            .for_each(|(_, value)| change(value));
    }

    /// All keys.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = lock(&self.0.items).keys().cloned().collect();
        keys.sort();
        keys
    }

    /// How many operations there were so far, failed ones included.
    pub fn operations(&self) -> usize {
        self.0.operations.load(Ordering::SeqCst)
    }

    fn run<'a, T: Send + 'a>(
        &'a self,
        operation: impl FnOnce(&mut HashMap<String, Vec<u8>>) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Error>> {
        Box::pin(async move {
            self.0.operations.fetch_add(1, Ordering::SeqCst);
            if self.0.stalled.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            if self.0.failing.load(Ordering::SeqCst) {
                return Err(Error::store("do anything", "it was told to fail"));
            }
            Ok(operation(&mut lock(&self.0.items)))
        })
    }
}

impl Store for FaultyStore {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        self.run(move |items| keys.iter().map(|key| items.get(key).cloned()).collect())
    }

    fn set_many(&self, new: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        self.run(move |items| items.extend(new.into_iter().map(|item| (item.key, item.value))))
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        self.run(move |items| keys.iter().for_each(|key| drop(items.remove(key))))
    }

    fn add(&self, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        self.run(move |items| {
            let absent = !items.contains_key(&item.key);
            items.entry(item.key).or_insert(item.value);
            absent
        })
    }
}
