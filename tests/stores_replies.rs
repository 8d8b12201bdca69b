//! A store that does what it is asked, and whose replies come late or never. Two caches on one store
//! stand for two processes.
#![cfg(feature = "stores")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::time::Duration;

use dewar::store::{Found, Item, Push, Store};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{BoxFuture, Cache, Error, cached, entry};
use futures::executor::block_on;

const HOUR: Duration = Duration::from_secs(3600);

/// What becomes of replies.
const PROMPT: u8 = 0;
/// They wait until they are prompt again.
const LATE: u8 = 1;
/// An error comes in their place.
const LOST: u8 = 2;
/// None ever comes.
const NEVER: u8 = 3;

/// There is no room for entries.
const FULL: u8 = 4;
/// Nothing can be read.
const BLIND: u8 = 5;

/// Somebody else was faster, and nothing can be read any more.
const OVERTAKEN: u8 = 7;

/// The first who reads waits until they are prompt again.
const LATE_READ: u8 = 6;

/// A store whose replies to `add` and `swap` of entries are its own.
struct Replies {
    store: FaultyStore,
    mode: AtomicU8,
    held: AtomicU8,
}

impl Replies {
    fn new() -> Arc<Self> {
        Arc::new(Replies {
            store: FaultyStore::pushing(),
            mode: AtomicU8::new(PROMPT),
            held: AtomicU8::new(0),
        })
    }

    fn room_for(&self, key: &str) -> Result<(), Error> {
        match self.mode.load(SeqCst) == FULL && !key.contains(":v.") {
            true => Err(Error::refused("store", "there is no room")),
            false => Ok(()),
        }
    }

    fn is_overtaken(&self) -> bool {
        let blind = |mode| (mode == OVERTAKEN).then_some(BLIND);
        self.mode.fetch_update(SeqCst, SeqCst, blind).is_ok()
    }

    async fn reply<T>(&self, key: &str, reply: Result<T, Error>) -> Result<T, Error> {
        if key.contains(":v.") {
            return reply;
        }
        while self.mode.load(SeqCst) == LATE {
            self.held.store(1, SeqCst);
            std::thread::sleep(Duration::from_millis(1));
        }
        match self.mode.load(SeqCst) {
            LOST => Err(Error::store("say so", "the connection was lost")),
            NEVER => std::future::pending().await,
            _ => reply,
        }
    }
}

impl Store for Replies {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        match self.mode.load(SeqCst) {
            BLIND => Box::pin(async { Err(Error::store("read", "it was told to fail")) }),
            LATE_READ => Box::pin(async {
                if self.held.swap(1, SeqCst) == 0 {
                    while self.mode.load(SeqCst) == LATE_READ {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
                self.store.get_many(keys).await
            }),
            _ => self.store.get_many(keys),
        }
    }

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            items.iter().try_for_each(|item| self.room_for(&item.key))?;
            self.store.set_many(items).await
        })
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        self.store.delete_many(keys)
    }

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let key = items
            .first()
            .map_or_else(String::new, |item| item.key.clone());
        Box::pin(async move {
            self.room_for(&key)?;
            if !key.contains(":v.") && self.is_overtaken() {
                return Ok(vec![false; items.len()]);
            }
            let added = self.store.add_many(items).await;
            self.reply(&key, added).await
        })
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        let key = item.key.clone();
        Box::pin(async move {
            self.room_for(&key)?;
            if !key.contains(":v.") && self.is_overtaken() {
                return Ok(false);
            }
            let frees = item.value.len() < 2;
            let swapped = self.store.swap(expected, item).await;
            match frees {
                true => swapped,
                false => self.reply(&key, swapped).await,
            }
        })
    }

    fn push(&self) -> Option<&dyn Push> {
        self.store.push()
    }
}

/// Two processes that hear each other.
fn processes(store: &Arc<Replies>) -> [TestCache; 2] {
    let both = [(); 2].map(|()| {
        let builder = Cache::builder().shared(Arc::clone(store));
        TestCache::with(builder).expect("these settings are accepted")
    });
    let up = |cache: &TestCache| cache.store_status().unwrap().push == Some(true);
    assert!(until(|| both.iter().all(up)));
    both
}

/// Waits for what other threads do.
fn until(mut holds: impl FnMut() -> bool) -> bool {
    (0..5000).any(|_| {
        std::thread::sleep(Duration::from_millis(1));
        holds()
    })
}

#[cached(timeout = 60)]
fn double(n: u64) -> u64 {
    n * 2
}

#[test]
fn what_was_added_and_deleted_before_its_reply_came_is_gone() {
    let store = Replies::new();
    let [one, other] = processes(&store);
    store.mode.store(LATE, SeqCst);
    let adding = std::thread::spawn({
        let one = one.clone();
        move || one.blocking().add("lock", 1u32, HOUR)
    });
    assert!(until(|| store.held.load(SeqCst) == 1));
    let heard = one.stats().messages;
    assert!(other.blocking().delete("lock").unwrap());
    assert!(until(|| one.stats().messages > heard));
    store.mode.store(PROMPT, SeqCst);
    assert!(adding.join().unwrap().unwrap(), "it was added");
    assert_eq!(one.blocking().get::<u32>("lock"), None);
    assert!(one.blocking().add("lock", 2u32, HOUR).unwrap());
    assert_eq!(one.blocking().get("lock"), Some(2u32));
    let hits = one.stats().hits;
    assert_eq!(one.blocking().get("lock"), Some(2u32));
    assert_eq!(one.stats().hits, hits + 1, "from memory");
}

#[test]
fn no_copy_outlives_a_change_whose_reply_was_lost() {
    for (mode, change) in [
        (LOST, "count"),
        (NEVER, "count"),
        (LOST, "touch"),
        (NEVER, "touch"),
    ] {
        let store = Replies::new();
        let [one, other] = processes(&store);
        block_on(one.set("n", 5i64, HOUR)).unwrap();
        for cache in [&one, &other] {
            assert_eq!(block_on(cache.get("n")), Some(5i64));
        }
        store.mode.store(mode, SeqCst);
        {
            let mut changing: BoxFuture<'_, Result<(), Error>> = Box::pin(async {
                match change {
                    "count" => one.increment("n", 1).await.map(drop),
                    _ => one.touch("n", HOUR / 2).await.map(drop),
                }
            });
            let polled = changing
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(polled.is_pending(), mode == NEVER);
        }
        store.mode.store(PROMPT, SeqCst);
        for cache in [&one, &other] {
            let seen = until(|| {
                // An operation has failed: what is to be told is told a second later.
                one.advance(Duration::from_secs(1));
                match change {
                    "count" => block_on(cache.get("n")) == Some(6i64),
                    _ => block_on(cache.ttl("n")).is_some_and(|left| left <= HOUR / 2),
                }
            });
            assert!(seen, "{change} {mode}");
        }
    }
}

#[test]
fn what_the_store_did_not_take_is_an_error_to_whoever_stores_it() {
    for mode in [FULL, BLIND] {
        let store = Replies::new();
        let [one, other] = processes(&store);
        block_on(async {
            one.set("a", 1, HOUR).await.unwrap();
            store.mode.store(mode, SeqCst);
            let error = one.set("a", 2, HOUR).await.unwrap_err();
            assert_eq!((error.is_store(), error.is_refused()), (true, mode == FULL));
            assert!(one.set_many([("b".to_owned(), 2)], HOUR).await.is_err());
            assert!(one.run(|| entry!(double(1)).put(3)).is_err());
            assert_eq!(one.run(|| double(2)), 4, "a load does not fail for it");
            store.mode.store(PROMPT, SeqCst);
            assert_eq!(other.get::<i32>("a").await, None, "what was there is void");
            assert_eq!(one.get("a").await, Some(2), "what was set is set here");
        });
    }
}

#[test]
fn what_may_have_been_overtaken_is_an_error_where_nobody_says_by_what() {
    let store = Replies::new();
    let [one, _] = processes(&store);
    for there in [false, true] {
        if there {
            block_on(one.set("a", 1, HOUR)).unwrap();
        }
        store.mode.store(OVERTAKEN, SeqCst);
        let error = block_on(one.set("a", 2, HOUR)).unwrap_err();
        assert!(error.is_store(), "{error}");
        store.mode.store(PROMPT, SeqCst);
    }
}

#[test]
fn of_two_that_set_a_key_at_once_all_processes_agree_on_one() {
    let store = Replies::new();
    let [one, other] = processes(&store);
    for cache in [&one, &other] {
        // From now on the store is known to be the one that it was.
        cache.blocking().set("k", 0u32, HOUR).unwrap();
    }
    store.mode.store(LATE_READ, SeqCst);
    let setting = std::thread::spawn({
        let one = one.clone();
        move || one.blocking().set("k", 1u32, HOUR)
    });
    assert!(until(|| store.held.load(SeqCst) == 1));
    other.blocking().set("k", 2u32, HOUR).unwrap();
    store.mode.store(PROMPT, SeqCst);
    setting.join().unwrap().unwrap();
    let both = || (one.blocking().get("k"), other.blocking().get("k"));
    assert!(until(|| both() == (Some(2u32), Some(2u32))), "{:?}", both());
}
