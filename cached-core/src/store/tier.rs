//! A shared store behind the memory tier.
//!
//! # Invalidation without scans
//! Every scope (a function, a key, a level of a prefix, a tag, everything) has a random version
//! under a key of its own. An entry carries the versions it was loaded under, read *before* its
//! body ran, and is valid while they are equal. To invalidate is to write a new version. A version
//! that is lost is replaced by a new random one, so losing it can only cause misses; and nothing
//! depends on anybody's clock.
//!
//! A version lives for as long as what depends on it may: whoever writes an entry has the versions
//! it was loaded under live longer than that.
//!
//! Tags that are known only from the value have no version before the body. An entry that has some
//! belongs to the scope of *any tag* in their stead: it is lost with every tag that is invalidated,
//! which costs loads and is never wrong.
//!
//! # When the store fails
//! Reads and writes fail open: they are counted, and the call goes on as if the store had nothing.
//! Invalidations fail closed: see `deliver`.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::channel::Channel;
use super::envelope::{self, EVER, Envelope};
use super::guard::{Budget, Guard, Limits};
use super::journal::{Concern, Journal};
use super::memory::Known;
use super::names::{self, Names};
use super::versions::{Scopes, Versions};
use super::{Found, Item, Store};
use crate::clock::{Clock, NEVER, Nanos};
use crate::codec::{Format, Writing};
use crate::error::Error;
use crate::rt::Leftovers;
use crate::stats::Counters;
use crate::sync::lock;

/// A shared store behind the memory tier of one cache.
pub(crate) struct Tier {
    pub(super) guard: Guard,
    pub(super) namespace: String,
    pub(super) writing: Writing,
    /// How long memory may serve a copy that nobody would tell it of.
    pub(crate) copies: Nanos,
    /// How long a process may load what others wait for.
    pub(crate) lease: Nanos,
    pub(super) journal: Mutex<Journal>,
    pub(super) delivering: AtomicBool,
    /// The last delivery failed, and that was logged.
    pub(super) undelivered: AtomicBool,
    pub(super) channel: Channel,
    pub(super) memory: Known,
    /// Leases to be given back.
    pub(crate) leftovers: Arc<Leftovers>,
    #[cfg(feature = "tower")]
    pub(crate) claims: super::claims::Claims,
}

/// What is said about a store when a cache is built.
pub(crate) struct Settings {
    pub(crate) namespace: String,
    pub(crate) writing: Writing,
    pub(crate) limits: Limits,
    pub(crate) copies: Nanos,
    pub(crate) lease: Nanos,
}

/// What a read brought.
#[derive(Default)]
pub(crate) struct Fetched {
    /// The value that is there.
    pub(crate) value: Option<Value>,
    /// The value that is there and has expired, not so long ago that it is of no use.
    pub(crate) stale: Option<Value>,
    /// The versions of the entry's scopes; none if they could not be read, and then nothing must
    /// be written.
    pub(crate) versions: Option<Versions>,
    /// The bytes that are there, valid or not.
    pub(crate) raw: Found,
    /// These bytes are damaged, foreign, or of another version.
    pub(crate) unreadable: bool,
    /// Nothing is said, as this process is invalidating something of it, or is to.
    pub(crate) overtaken: bool,
    /// What is left of the time that a call may spend here, if it is to go on.
    pub(crate) budget: Option<Arc<Budget>>,
    /// When the store was asked.
    pub(crate) asked: Nanos,
}

impl Fetched {
    /// Counts what could not be read, where the read is counted.
    pub(crate) fn count_unreadable(&self, counters: &Counters) {
        if self.unreadable {
            counters.undecodable.one();
        }
    }
}

/// The bytes of an entry that are none.
struct Unreadable;

/// A value as the store has it.
pub(crate) struct Value {
    content: Content,
    pub(crate) format: Format,
    /// How long it was to live.
    pub(crate) lifetime: Nanos,
    /// How long it is good for still.
    pub(crate) left: Nanos,
    /// How long ago it expired.
    pub(crate) past: Nanos,
    /// How long ago it was written.
    pub(crate) age: Nanos,
}

/// Where the bytes of a value are.
enum Content {
    /// Among those that were read.
    At(Range<usize>),
    /// They were compressed or sealed.
    Own(Vec<u8>),
}

impl Value {
    /// The bytes, of what was read with it.
    pub(crate) fn bytes<'a>(&'a self, raw: &'a Found) -> &'a [u8] {
        match &self.content {
            Content::At(range) => raw.as_ref().and_then(|raw| raw.get(range.clone())),
            Content::Own(bytes) => Some(bytes.as_slice()),
        }
        .unwrap_or_default()
    }

    /// Other bytes than those that were read have it now.
    pub(crate) fn keep(&mut self, bytes: Vec<u8>) {
        self.content = Content::Own(bytes);
    }
}

/// How often a read begins again, as the store was compared meanwhile.
const READS: usize = 3;

/// What stands for a moment where something was deleted.
pub(super) const GONE: &[u8] = &[0];

/// What stands between the namespace and the hash in the key of a version. In that of an entry there is
/// a colon before the hash, whatever its prefix: `v` too.
const VERSION: &str = ":v.";

/// How long a version outlives what depends on it.
const MARGIN: Nanos = 60_000_000_000;

impl Tier {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        counters: Arc<Counters>,
        settings: Settings,
    ) -> Self {
        let heard = clock.now();
        Tier {
            guard: Guard::new(store, clock, counters, settings.limits),
            namespace: settings.namespace,
            writing: settings.writing,
            copies: settings.copies,
            lease: settings.lease,
            journal: Mutex::default(),
            delivering: AtomicBool::new(false),
            undelivered: AtomicBool::new(false),
            channel: Channel::new(heard),
            memory: Known::default(),
            leftovers: Leftovers::new("dewar-leases"),
            #[cfg(feature = "tower")]
            claims: Default::default(),
        }
    }

    /// Writes something and reads it back.
    ///
    /// # Errors
    /// The store does not answer, or refuses.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        let (budget, key) = (self.budget(), [&self.namespace, ":check"].concat());
        let item = Item {
            key: key.clone(),
            value: b"dewar".to_vec(),
            ttl: Some(Duration::from_secs(60)),
        };
        let checked = async {
            self.guard
                .run(&budget, self.store().set_many(vec![item]))
                .await?;
            self.guard.run(&budget, self.store().get_many(&[key])).await
        };
        let named = |error: Error| {
            let what = format!("answer at the start ({})", self.store().describe());
            Error::store(what, &error).with_source(error)
        };
        checked.await.map(drop).map_err(named)
    }

    /// How values are written.
    #[cfg(feature = "dashboard")]
    pub(super) fn writing(&self) -> &Writing {
        &self.writing
    }

    /// How values are serialised.
    pub(crate) fn format(&self) -> Format {
        self.writing.format
    }

    /// The time that one call may spend here.
    pub(crate) fn budget(&self) -> Budget {
        self.guard.budget()
    }

    /// Until when memory may serve a copy that it takes now.
    pub(crate) fn vouched(&self, now: Nanos) -> Nanos {
        match self.channel.is_up() {
            true => NEVER,
            false => now.saturating_add(self.copies),
        }
    }

    /// Reads entries and the versions of their scopes, in one operation if all versions are there;
    /// those that are not are made.
    pub(crate) async fn fetch(
        self: &Arc<Self>,
        budget: &Budget,
        entries: &[&Names],
    ) -> Vec<Fetched> {
        self.read(budget, entries, true).await
    }

    /// The same for what is not to be loaded or changed: nothing is made, always one operation.
    pub(crate) async fn peek(
        self: &Arc<Self>,
        budget: &Budget,
        entries: &[&Names],
    ) -> Vec<Fetched> {
        self.read(budget, entries, false).await
    }

    async fn read(
        self: &Arc<Self>,
        budget: &Budget,
        entries: &[&Names],
        complete: bool,
    ) -> Vec<Fetched> {
        let unknown = || entries.iter().map(|_| Fetched::default()).collect();
        // Before the store is asked as well as after: what is on its way now may be through when the
        // answer comes, which is older.
        let before = self.concerned(entries);
        let mut scopes = Scopes::of(self, entries);
        let Some(mut found) = self.current(budget, &scopes.keys).await else {
            return unknown();
        };
        let versions = found.split_off(entries.len().min(found.len()));
        scopes.found(versions.iter().map(version));
        let mut strange = false;
        if complete && scopes.lack_some() {
            let completed = Box::pin(self.complete(budget, &mut scopes)).await;
            strange = completed.unwrap_or_default();
        }
        let after = self.concerned(entries).into_iter();
        let concerned = before.into_iter().zip(after);
        let now = self.guard.clock().wall_millis();
        (concerned
            .map(|(before, after)| before.max(after))
            .zip(scopes.versions())
            .zip(&scopes.keys)
            .zip(found))
        .map(|(((concerned, read), key), entry)| match read {
            Some((versions, known)) if concerned == Concern::None => {
                // Whatever was stored under a version that was lost is not valid.
                let valid = match known {
                    true => self.valid(&entry, key, &versions, now),
                    false => Ok(None),
                };
                let unreadable = valid.is_err() || strange;
                let (value, stale) = match valid.unwrap_or_default() {
                    Some(valid) if valid.left == 0 => (None, Some(valid)),
                    valid => (valid, None),
                };
                Fetched {
                    value,
                    stale,
                    versions: Some(versions),
                    raw: entry,
                    unreadable,
                    overtaken: false,
                    budget: None,
                    asked: 0,
                }
            }
            None if concerned == Concern::None => Fetched {
                raw: entry,
                ..Fetched::default()
            },
            _ => Fetched {
                overtaken: concerned != Concern::None,
                ..Fetched::default()
            },
        })
        .collect()
    }

    /// Whether something of these entries is being invalidated by this process.
    fn concerned(&self, entries: &[&Names]) -> Vec<Concern> {
        let journal = lock(&self.journal);
        let concerned = entries.iter().map(|names| journal.concerns(names.scopes()));
        concerned.collect()
    }

    /// What the store has at these keys, and has not gone back to from something newer; none if it
    /// does not say.
    async fn current(self: &Arc<Self>, budget: &Budget, keys: &[String]) -> Option<Vec<Found>> {
        for _ in 0..READS {
            let losses = self.guard.doubts().losses();
            let found = self.store().get_many(keys);
            let found = self.guard.try_run(budget, found).await?;
            if !self.is_current(budget).await {
                return None;
            }
            // Read before what was lost was found out, it may be of that.
            if self.guard.doubts().losses() == losses {
                return Some(found);
            }
        }
        None
    }

    /// The value in an entry, if it is fresh or may be served stale, and no scope of its has moved
    /// on.
    fn valid(
        &self,
        entry: &Found,
        key: &str,
        versions: &Versions,
        now: u64,
    ) -> Result<Option<Value>, Unreadable> {
        let Some(entry) = entry.as_ref().filter(|it| **it != GONE) else {
            return Ok(None);
        };
        let envelope = Envelope::open(entry, key, &self.writing).ok_or(Unreadable)?;
        // A clock that is behind must not make it older than it can be, nor one ahead younger.
        let age = now.saturating_sub(envelope.written);
        let nanos = |millis: u64| match millis {
            EVER => NEVER,
            millis => millis.saturating_mul(1_000_000),
        };
        let left = match envelope.fresh {
            EVER => NEVER,
            fresh => nanos(fresh.saturating_sub(age)),
        };
        let past = age.saturating_sub(envelope.fresh);
        let useful = left > 0 || past < envelope.stale;
        let valid = useful && versions.are(&envelope.versions);
        Ok(valid.then(|| Value {
            content: match envelope.value {
                // It stands at the end.
                Cow::Borrowed(value) => Content::At(envelope::place(entry, value)),
                Cow::Owned(value) => Content::Own(value),
            },
            format: envelope.format,
            lifetime: nanos(envelope.fresh),
            left,
            past: nanos(past),
            age: nanos(age),
        }))
    }

    /// Gives versions to the scopes that have none, all in one operation; where others were faster
    /// with some of them, theirs are read. What is there and is no version is written over; says
    /// whether there was such.
    async fn complete(&self, budget: &Budget, scopes: &mut Scopes) -> Option<bool> {
        let missing = scopes.lacking();
        let (fresh, items) = fresh_versions(scopes, &missing);
        let added = self.store().add_many(items);
        let added = self.guard.try_run(budget, added).await?;
        for ((at, version), added) in missing.iter().zip(fresh).zip(added) {
            scopes.give(*at, added.then_some(version));
        }
        let taken = scopes.lacking();
        if taken.is_empty() {
            return Some(false);
        }
        let key = |at: &usize| scopes.depended(*at).0.to_owned();
        let keys: Vec<String> = taken.iter().map(key).collect();
        let found = self.store().get_many(&keys);
        let found = self.guard.try_run(budget, found).await?;
        for (at, found) in taken.into_iter().zip(found) {
            scopes.give(at, version(&found));
        }
        let strange = scopes.lacking();
        if strange.is_empty() {
            return Some(false);
        }
        // It is as if they were invalidated, so it does no harm where another has done so just now.
        let (fresh, items) = fresh_versions(scopes, &strange);
        let set = self.store().set_many(items);
        self.guard.try_run(budget, set).await?;
        for (at, version) in strange.into_iter().zip(fresh) {
            scopes.give(at, Some(version));
        }
        Some(true)
    }

    /// Where the lease of an entry's load is.
    pub(crate) fn lease_key(&self, names: &Names, versions: Option<&Versions>) -> String {
        let versions = versions.map(Versions::bytes).unwrap_or_default();
        let digest = names::digest(&[names.key().as_bytes(), &versions].concat());
        format!("{}:l:{digest}", self.namespace)
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.guard.store()
    }

    /// The key of an entry.
    pub(super) fn key_of(&self, names: &Names) -> String {
        (names.hash).after([&self.namespace, ":", &names.shared.stem])
    }

    /// The key of the version of the scope that an entry's key is, if it is one.
    pub(super) fn own_version(&self, names: &Names) -> Option<String> {
        let version = || names.hash.after([&self.namespace, VERSION]);
        names.keyed.then(version)
    }

    pub(super) fn version_key(&self, scope: &str) -> String {
        self.key_of_version(&names::version(scope))
    }

    /// The same where the scope goes by the end of the key already.
    pub(super) fn key_of_version(&self, version: &str) -> String {
        [&self.namespace, VERSION, version].concat()
    }
}

/// New versions of these scopes, and the items that hold them.
fn fresh_versions(scopes: &Scopes, of: &[usize]) -> (Vec<u64>, Vec<Item>) {
    let fresh: Vec<u64> = of.iter().map(|_| names::unique()).collect();
    let new = |(at, version): (&usize, &u64)| {
        let (key, lifetime) = scopes.depended(*at);
        version_item(key.to_owned(), *version, dependable(lifetime))
    };
    let items = of.iter().zip(&fresh).map(new).collect();
    (fresh, items)
}

/// How long the versions have to live that an entry of this lifetime depends on; none for ever.
pub(super) fn dependable(lifetime: Nanos) -> Option<Duration> {
    let long = lifetime.saturating_mul(2).saturating_add(MARGIN);
    (lifetime != NEVER && long != NEVER).then(|| Duration::from_nanos(long))
}

pub(super) fn version(found: &Found) -> Option<u64> {
    number(found.as_deref()?)
}

fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

pub(super) fn version_item(key: String, version: u64, ttl: Option<Duration>) -> Item {
    let value = version.to_le_bytes().to_vec();
    Item { key, value, ttl }
}
