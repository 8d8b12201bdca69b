//! A shared store behind the memory tier.
//!
//! # Invalidation without scans
//! Every scope (a function, a key, a level of a prefix, a tag, everything) has a random version
//! under a key of its own. An entry carries the versions it was loaded under, read *before* its
//! body ran, and is valid while they are equal. To invalidate is to write a new version. A version
//! that is lost is replaced by a new random one, so losing it can only cause misses; and nothing
//! depends on anybody's clock.
//!
//! Tags that are known only from the value have no version before the body. An entry that has some
//! belongs to the scope of *any tag* in their stead: it is lost with every tag that is invalidated,
//! which costs loads and is never wrong.
//!
//! # When the store fails
//! Every operation has a time limit. Reads and writes fail open: they are counted, and the call
//! goes on as if the store had nothing. An invalidation that could not be written is kept, told to
//! the caller, tried again, and until it is through nothing that it concerns is read from the
//! store.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use super::envelope::Envelope;
use super::{Found, Item, Store};
use crate::clock::{Clock, NEVER, Nanos};
use crate::error::Error;
use crate::stats::Counters;
use crate::sync::lock;

/// A shared store behind the memory tier of one cache.
pub(crate) struct Tier {
    store: Arc<dyn Store>,
    namespace: String,
    clock: Clock,
    counters: Arc<Counters>,
    /// How long one operation may take.
    limit: Nanos,
    /// How long memory may serve a copy: an invalidation by another process is seen by then.
    pub(crate) copies: Nanos,
    /// Scopes whose invalidation is not through yet.
    undelivered: Mutex<Undelivered>,
    delivering: AtomicBool,
}

/// Invalidations on their way, each under the ticket of the last time it was announced.
#[derive(Default)]
struct Undelivered {
    scopes: BTreeMap<String, u64>,
    tickets: u64,
}

/// An entry's names on the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// Of the entry: prefix and hash.
    pub(crate) key: String,
    /// Of its scopes.
    pub(crate) scopes: Vec<String>,
    /// Of the scope of its key alone.
    pub(crate) own: Option<String>,
}

/// The scope of everything; every entry belongs to it.
pub(crate) const EVERYTHING: &str = "all";
/// The scope of any tag.
pub(crate) const ANY_TAG: &str = "tags";

/// The scope of a function.
pub(crate) fn function(name: &str) -> String {
    format!("function {name}")
}

/// The scope of one key.
pub(crate) fn key(hash: &str) -> String {
    format!("key {hash}")
}

/// The scope of a level of a prefix.
pub(crate) fn level(level: &str) -> String {
    format!("level {level}")
}

/// The scope of a tag.
pub(crate) fn tag(tag: &str) -> String {
    format!("tag {tag}")
}

/// How an entry is called: readable, free of spaces and control characters, and not too long for
/// any store.
pub(crate) fn entry(prefix: &str, hash: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    let readable: String = prefix.chars().take(120).map(plain).collect();
    format!("{readable}:{hash}")
}

/// What a read brought.
#[derive(Default)]
pub(crate) struct Fetched {
    /// The value's bytes and how long they are good for still.
    pub(crate) value: Option<(Vec<u8>, Nanos)>,
    /// The versions of the entry's scopes; none if they could not be read, and then nothing must
    /// be written.
    pub(crate) versions: Option<Vec<u64>>,
}

/// An entry to be written.
pub(crate) struct Written<'a> {
    pub(crate) names: &'a Names,
    pub(crate) versions: Vec<u64>,
    pub(crate) value: Vec<u8>,
    pub(crate) lifetime: Nanos,
}

/// How many undelivered invalidations are kept one by one; beyond that, everything is invalidated.
const UNDELIVERED: usize = 1024;
/// How long until an invalidation that failed is tried again.
const AGAIN: Nanos = 1_000_000_000;

impl Tier {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        namespace: String,
        clock: Clock,
        counters: Arc<Counters>,
        limits: (Nanos, Nanos),
    ) -> Self {
        let (limit, copies) = limits;
        Tier {
            store,
            namespace,
            clock,
            counters,
            limit,
            copies,
            undelivered: Mutex::default(),
            delivering: AtomicBool::new(false),
        }
    }

    /// Reads entries and the versions of their scopes, in one operation if all versions are there.
    pub(crate) async fn fetch(&self, entries: &[&Names]) -> Vec<Fetched> {
        let mut keys = Vec::new();
        for names in entries {
            keys.push(self.entry_key(&names.key));
            keys.extend(names.scopes.iter().map(|scope| self.version_key(scope)));
        }
        let Some(found) = self.limited(self.store.get_many(&keys)).await else {
            return entries.iter().map(|_| Fetched::default()).collect();
        };
        let (mut fetched, mut at) = (Vec::new(), 0);
        for names in entries {
            let end = at + 1 + names.scopes.len();
            let (Some(keys), Some(found)) = (keys.get(at..end), found.get(at..end)) else {
                fetched.push(Fetched::default());
                continue;
            };
            fetched.push(self.judge(names, keys, found).await);
            at = end;
        }
        fetched
    }

    /// What was found of one entry: itself first, then the versions of its scopes.
    async fn judge(&self, names: &Names, keys: &[String], found: &[Found]) -> Fetched {
        let (Some((key, version_keys)), Some((entry, versions))) =
            (keys.split_first(), found.split_first())
        else {
            return Fetched::default();
        };
        if self.concerns_undelivered(&names.scopes) {
            return Fetched::default();
        }
        let versions: Vec<Option<u64>> = versions.iter().map(version).collect();
        let known: Option<Vec<u64>> = versions.iter().copied().collect();
        match known {
            Some(versions) => Fetched {
                value: self.valid(entry, key, &versions),
                versions: Some(versions),
            },
            None => Fetched {
                value: None,
                versions: self.complete(version_keys, versions).await,
            },
        }
    }

    /// The value in an entry, if it can be read, is not over, and no scope of its has moved on.
    fn valid(&self, entry: &Found, key: &str, versions: &[u64]) -> Option<(Vec<u8>, Nanos)> {
        let envelope = match Envelope::open(entry.as_ref()?, key) {
            Some(envelope) => envelope,
            None => {
                self.counters.undecodable.one();
                return None;
            }
        };
        let left = match envelope.expires {
            u64::MAX => NEVER,
            expires => expires
                .saturating_sub(self.clock.wall_millis())
                .saturating_mul(1_000_000),
        };
        (left > 0 && envelope.versions == versions).then_some((envelope.value, left))
    }

    /// Gives versions to the scopes that have none.
    async fn complete(&self, keys: &[String], mut versions: Vec<Option<u64>>) -> Option<Vec<u64>> {
        for (key, version) in keys.iter().zip(&mut versions) {
            if version.is_none() {
                let fresh = crate::key::random();
                if self
                    .limited(self.store.add(version_item(key, fresh)))
                    .await?
                {
                    *version = Some(fresh);
                }
            }
        }
        if versions.iter().any(Option::is_none) {
            // Somebody else was faster with some of them.
            let found = self.limited(self.store.get_many(keys)).await?;
            versions = found.iter().map(version).collect();
        }
        versions.into_iter().collect()
    }

    /// Writes entries, each under the versions that were read before its body ran.
    pub(crate) async fn write(&self, entries: Vec<Written<'_>>) {
        let items: Vec<Item> = entries
            .into_iter()
            .filter(|entry| !self.concerns_undelivered(&entry.names.scopes))
            .map(|entry| self.item(entry))
            .collect();
        if !items.is_empty() {
            self.limited(self.store.set_many(items)).await;
        }
    }

    fn item(&self, entry: Written<'_>) -> Item {
        let Written {
            names,
            versions,
            value,
            lifetime,
        } = entry;
        let key = self.entry_key(&names.key);
        let expires = match lifetime {
            NEVER => u64::MAX,
            lifetime => self
                .clock
                .wall_millis()
                .saturating_add(lifetime / 1_000_000),
        };
        let value = Envelope {
            expires,
            versions,
            key: key.clone(),
            value,
        }
        .seal();
        let ttl = (lifetime != NEVER).then(|| Duration::from_nanos(lifetime));
        Item { key, value, ttl }
    }

    /// Notes what is being invalidated: from now on nothing of it is read from the store.
    pub(crate) fn announce(&self, scopes: &[String]) {
        let mut undelivered = lock(&self.undelivered);
        undelivered.tickets += 1;
        let ticket = undelivered.tickets;
        undelivered
            .scopes
            .extend(scopes.iter().map(|scope| (scope.clone(), ticket)));
        if undelivered.scopes.len() > UNDELIVERED {
            undelivered.scopes.clear();
            undelivered.scopes.insert(EVERYTHING.into(), ticket);
        }
    }

    /// Writes new versions for all that is undelivered.
    ///
    /// # Errors
    /// The store did not confirm; everything is kept, and tried again in the background.
    pub(crate) async fn deliver(self: &Arc<Self>) -> Result<(), Error> {
        let delivered = self.try_deliver().await;
        if delivered.is_err() {
            self.deliver_later(AGAIN);
        }
        delivered
    }

    async fn try_deliver(&self) -> Result<(), Error> {
        let scopes = lock(&self.undelivered).scopes.clone();
        if scopes.is_empty() {
            return Ok(());
        }
        let item = |scope: &String| version_item(&self.version_key(scope), crate::key::random());
        let items = scopes.keys().map(item).collect();
        self.timed(self.store.set_many(items))
            .await
            .inspect_err(|_| self.counters.store_errors.one())?;
        // What was announced again meanwhile has a later ticket, and is not through yet.
        let mut undelivered = lock(&self.undelivered);
        undelivered
            .scopes
            .retain(|scope, ticket| scopes.get(scope) != Some(ticket));
        Ok(())
    }

    /// Delivers in the background, and tries again until everything is through.
    pub(crate) fn deliver_later(self: &Arc<Self>, pause: Nanos) {
        if self.delivering.swap(true, Ordering::SeqCst) {
            return;
        }
        let tier = Arc::clone(self);
        let started = crate::rt::thread("dewar-invalidations", move || {
            crate::rt::block_on(async {
                tier.clock.sleep(pause).await;
                while tier.try_deliver().await.is_err() {
                    tier.clock.sleep(AGAIN).await;
                }
            });
            tier.delivering.store(false, Ordering::SeqCst);
            // Something may have come between the last look and the flag.
            if !lock(&tier.undelivered).scopes.is_empty() {
                tier.deliver_later(0);
            }
        });
        if started.is_none() {
            self.delivering.store(false, Ordering::SeqCst);
        }
    }

    fn concerns_undelivered(&self, scopes: &[String]) -> bool {
        let undelivered = lock(&self.undelivered);
        let concerned = |scope: &String| undelivered.scopes.contains_key(scope);
        !undelivered.scopes.is_empty() && scopes.iter().any(concerned)
    }

    /// An operation within the time limit, its failure counted.
    async fn limited<T>(&self, operation: impl Future<Output = Result<T, Error>>) -> Option<T> {
        let result = self.timed(operation).await;
        result
            .inspect_err(|_| self.counters.store_errors.one())
            .ok()
    }

    async fn timed<T>(
        &self,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut operation = pin!(operation);
        let mut limit = pin!(self.clock.sleep(self.limit));
        std::future::poll_fn(|cx| {
            if let Poll::Ready(result) = operation.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            limit.as_mut().poll(cx).map(|()| {
                let limit = Duration::from_nanos(self.limit);
                Err(Error::store(
                    "answer",
                    format!("no answer within {limit:?}"),
                ))
            })
        })
        .await
    }

    fn entry_key(&self, key: &str) -> String {
        format!("{}:{key}", self.namespace)
    }

    fn version_key(&self, scope: &str) -> String {
        format!("{}:v:{}", self.namespace, digest(scope.as_bytes()))
    }
}

fn version(found: &Found) -> Option<u64> {
    Some(u64::from_le_bytes(found.as_deref()?.try_into().ok()?))
}

fn version_item(key: &str, version: u64) -> Item {
    Item {
        key: key.to_owned(),
        value: version.to_le_bytes().to_vec(),
        ttl: None,
    }
}

/// 160 bits of a cryptographic hash, as text.
pub(crate) fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).as_bytes()[..20]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
