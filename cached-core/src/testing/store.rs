//! A store that fails on command.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::clock::{Clock, ManualClock, NEVER, Nanos, nanos};
use crate::error::Error;
use crate::rt::BoxFuture;
use crate::store::{Found, Item, Push, Rollback, Store, StoreMemory};
use crate::sync::lock;

/// A store in memory that fails, stalls and forgets when a test says so.
///
/// Clones are handles on the same store, so several caches with one of them each are as several
/// processes.
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
#[derive(Clone)]
pub struct FaultyStore(Arc<Inner>);

struct Inner {
    items: Mutex<Items>,
    clock: Clock,
    failing: AtomicBool,
    refusing: AtomicBool,
    /// Operations after so many never end.
    stalled: AtomicI64,
    operations: AtomicUsize,
    channels: Option<Channels>,
}

type Items = BTreeMap<String, (Vec<u8>, Nanos)>;

#[derive(Default)]
struct Channels {
    listeners: Mutex<Vec<Arc<Listener>>>,
    muted: AtomicBool,
}

/// Somebody who listens to a channel.
struct Listener {
    channel: String,
    state: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    messages: VecDeque<Vec<u8>>,
    cut: bool,
    waker: Option<Waker>,
}

impl Default for FaultyStore {
    fn default() -> Self {
        Self::new()
    }
}

impl FaultyStore {
    /// An empty store in good health, which cannot push.
    pub fn new() -> Self {
        Self::make(Clock::System, None)
    }

    /// The same, which counts times to live by a clock that the test moves.
    pub fn with_clock(clock: ManualClock) -> Self {
        Self::make(Clock::Manual(clock), None)
    }

    /// An empty store in good health that pushes.
    pub fn pushing() -> Self {
        Self::make(Clock::System, Some(Channels::default()))
    }

    fn make(clock: Clock, channels: Option<Channels>) -> Self {
        FaultyStore(Arc::new(Inner {
            items: Mutex::default(),
            clock,
            failing: AtomicBool::new(false),
            refusing: AtomicBool::new(false),
            stalled: AtomicI64::new(i64::MAX),
            operations: AtomicUsize::new(0),
            channels,
        }))
    }

    /// Has every operation fail from now on, or no more.
    pub fn fail(&self, failing: bool) {
        self.0.failing.store(failing, Ordering::SeqCst);
    }

    /// Has every operation be refused from now on, as by a server that is full, or no more.
    pub fn refuse(&self, refusing: bool) {
        self.0.refusing.store(refusing, Ordering::SeqCst);
    }

    /// Has every operation that begins from now on never end, or no more.
    pub fn stall(&self, stalled: bool) {
        let after = if stalled { -1 } else { i64::MAX };
        self.0.stalled.store(after, Ordering::SeqCst);
    }

    /// The same for every operation after the next `operations` ones.
    pub fn stall_after(&self, operations: usize) {
        let after = self.operations().saturating_add(operations);
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        self.0.stalled.store(after, Ordering::SeqCst);
    }

    /// Ends the connections of all who listen; they may listen afresh.
    pub fn cut(&self) {
        for listener in self.listeners() {
            listener.tell(|heard| heard.cut = true);
        }
    }

    /// Has messages get lost without anybody noticing from now on, or no more.
    pub fn mute(&self, muted: bool) {
        if let Some(channels) = &self.0.channels {
            channels.muted.store(muted, Ordering::SeqCst);
        }
    }

    /// How many listen right now.
    pub fn listening(&self) -> usize {
        self.listeners().len()
    }

    fn listeners(&self) -> Vec<Arc<Listener>> {
        let channels = self.0.channels.as_ref();
        channels.map_or_else(Vec::new, |channels| lock(&channels.listeners).clone())
    }

    /// Loses everything, as a server does that is restarted empty.
    pub fn forget(&self) {
        lock(&self.0.items).clear();
    }

    /// Loses what is stored under keys that hold this text.
    pub fn forget_keys(&self, text: &str) {
        lock(&self.0.items).retain(|key, _| !key.contains(text));
    }

    /// All that it holds now, to [`restore`](Self::restore) it later as a server does that restarts
    /// from a snapshot.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(lock(&self.0.items).clone())
    }

    /// Holds what it held then, and nothing else.
    pub fn restore(&self, snapshot: &Snapshot) {
        *lock(&self.0.items) = snapshot.0.clone();
    }

    /// Changes everything that is stored under keys that hold this text.
    pub fn damage(&self, text: &str, change: impl Fn(&mut Vec<u8>)) {
        lock(&self.0.items)
            .iter_mut()
            .filter(|(key, _)| key.contains(text))
            .for_each(|(_, (value, _))| change(value));
    }

    /// All keys.
    pub fn keys(&self) -> Vec<String> {
        lock(&self.0.items).keys().cloned().collect()
    }

    /// How many operations there were so far, failed ones included; messages are not counted.
    pub fn operations(&self) -> usize {
        self.0.operations.load(Ordering::SeqCst)
    }

    fn run<'a, T: Send + 'a>(
        &'a self,
        operation: impl FnOnce(&mut Items, Nanos) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Error>> {
        Box::pin(async move {
            self.0.operations.fetch_add(1, Ordering::SeqCst);
            self.health().await?;
            let now = self.0.clock.now();
            let mut items = lock(&self.0.items);
            items.retain(|_, (_, until)| *until > now);
            Ok(operation(&mut items, now))
        })
    }

    async fn health(&self) -> Result<(), Error> {
        let begun = i64::try_from(self.operations()).unwrap_or(i64::MAX);
        if begun > self.0.stalled.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.0.failing.load(Ordering::SeqCst) {
            return Err(Error::store("do anything", "it was told to fail"));
        }
        if self.0.refusing.load(Ordering::SeqCst) {
            return Err(Error::refused("do anything", "it was told to refuse"));
        }
        Ok(())
    }
}

/// What a [`FaultyStore`] held at some time.
#[derive(Clone)]
pub struct Snapshot(Items);

fn stored(item: Item, now: Nanos) -> (String, (Vec<u8>, Nanos)) {
    let until = (item.ttl).map_or(NEVER, |ttl| now.saturating_add(nanos(ttl)));
    (item.key, (item.value, until))
}

impl Store for FaultyStore {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        self.run(move |items, _| {
            let found = |key| items.get(key).map(|(value, _)| value.clone());
            keys.iter().map(found).collect()
        })
    }

    fn set_many(&self, new: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        self.run(move |items, now| items.extend(new.into_iter().map(|item| stored(item, now))))
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        self.run(move |items, _| keys.iter().for_each(|key| drop(items.remove(key))))
    }

    fn add_many(&self, new: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        self.run(move |items, now| {
            let mut add = |item: Item| {
                let absent = !items.contains_key(&item.key);
                if absent {
                    items.extend([stored(item, now)]);
                }
                absent
            };
            new.into_iter().map(&mut add).collect()
        })
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        let swapped = self.swap_many(vec![(expected, item)]);
        Box::pin(async move { Ok(swapped.await? == [true]) })
    }

    fn swap_many(&self, swaps: Vec<(Vec<u8>, Item)>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        self.run(move |items, now| {
            let mut swap = |(expected, item): (Vec<u8>, Item)| {
                let same = (items.get(&item.key)).is_some_and(|(value, _)| *value == expected);
                if same {
                    items.extend([stored(item, now)]);
                }
                same
            };
            swaps.into_iter().map(&mut swap).collect()
        })
    }

    /// The bytes of its keys and values.
    fn memory(&self) -> BoxFuture<'_, Result<Option<StoreMemory>, Error>> {
        self.run(|items, _| {
            let sizes = items
                .iter()
                .map(|(key, (value, _))| key.len() + value.len());
            let used = sizes.sum::<usize>() as u64;
            Some(StoreMemory {
                used,
                peak: used,
                fragmentation: 1.0,
                limit: None,
                keys: items.len() as u64,
            })
        })
    }

    fn extend_many<'a>(
        &'a self,
        keys: &'a [String],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.run(move |items, now| {
            for key in keys {
                if let Some((_, until)) = items.get_mut(key) {
                    *until = (*until).max(now.saturating_add(nanos(ttl)));
                }
            }
        })
    }

    fn rollback(&self) -> Rollback {
        Rollback::Whole
    }

    fn push(&self) -> Option<&dyn Push> {
        self.0.channels.as_ref().map(|_| self as &dyn Push)
    }

    fn describe(&self) -> String {
        "a store for tests".into()
    }
}

impl Listener {
    fn tell(&self, change: impl FnOnce(&mut Heard)) {
        let mut heard = lock(&self.state);
        change(&mut heard);
        if let Some(waker) = heard.waker.take() {
            waker.wake();
        }
    }

    /// The next message; none when the connection is cut.
    async fn next(&self) -> Option<Vec<u8>> {
        std::future::poll_fn(|cx| {
            let mut heard = lock(&self.state);
            match heard.messages.pop_front() {
                Some(message) => return Poll::Ready(Some(message)),
                None if heard.cut => return Poll::Ready(None),
                None => heard.waker = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await
    }
}

/// Listens for as long as it lives.
struct Listening<'a>(&'a Channels, Arc<Listener>);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        lock(&self.0.listeners).retain(|listener| !Arc::ptr_eq(listener, &self.1));
    }
}

impl Push for FaultyStore {
    fn publish<'a>(
        &'a self,
        channel: &'a str,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.health().await?;
            let muted = |channels: &Channels| channels.muted.load(Ordering::SeqCst);
            if self.0.channels.as_ref().is_some_and(muted) {
                return Ok(());
            }
            for listener in self.listeners() {
                if listener.channel == channel {
                    listener.tell(|heard| heard.messages.push_back(message.to_vec()));
                }
            }
            Ok(())
        })
    }

    fn listen<'a>(
        &'a self,
        channel: &'a str,
        hear: &'a (dyn Fn(Option<&[u8]>) + Send + Sync),
    ) -> BoxFuture<'a, Error> {
        Box::pin(async move {
            if let Err(error) = self.health().await {
                return error;
            }
            let Some(channels) = &self.0.channels else {
                return Error::store("listen", "it cannot push");
            };
            let listener = Arc::new(Listener {
                channel: channel.to_owned(),
                state: Mutex::default(),
            });
            lock(&channels.listeners).push(Arc::clone(&listener));
            let listening = Listening(channels, listener);
            hear(None);
            while let Some(message) = listening.1.next().await {
                hear(Some(&message));
            }
            Error::store("listen", "the connection was cut")
        })
    }
}
