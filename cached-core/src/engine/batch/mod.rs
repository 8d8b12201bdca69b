//! Many keys in one call: look all up, run the body once for those that are missing, store each
//! under its own key.
//!
//! Every key has a flight of its own. A call first leads the keys that nobody loads, all by one
//! run of the body ([`load`]), and only then waits for those that others load ([`wait`]): two calls
//! that overlap cannot wait for each other.
//!
//! Those who wait for a key are told all there is to know of it: its value, that there is none,
//! that there are several, or the error of the whole ([`Landing`](super::flights::Landing)). So
//! one run answers everybody. A load whose caller gives up goes on without it where it owns what
//! it needs ([`rest`]).

pub(super) mod common;
mod entry;
mod load;
pub(crate) mod rest;
mod rows;
mod share;
mod wait;

pub use entry::{BatchEntry, BlockingBatchEntry, DriveMany, auto_many};
pub use load::LoadMany;
pub(crate) use share::Sharing;
pub use share::sharable;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::hash::Hash;
use std::panic::resume_unwind;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::Engine;
use super::answers::{Answers, Keys};
use super::at::{At, Place};
use super::call::Load;
use super::flights::{Entered, Start};
use super::lead::Lead;
use super::wait::Joined;
use crate::error::Error;
use common::Looking;
use load::{Brought, Failure};
use rows::Rows;
use wait::{Told, Waits};

/// A batch after looking into the cache.
#[must_use]
pub struct Batch<R: Answers<Value: 'static>> {
    /// How many keys there are.
    keys: usize,
    found: Vec<Found<R::Key, R::Value>>,
    missing: Vec<Missing<R::Key, R::Value>>,
    /// The keys that there is nothing for, with their places.
    absent: Vec<(usize, R::Key)>,
    /// What loads returned that they were not asked for.
    beyond: Vec<(R::Key, Rows<R::Value>)>,
}

/// A key with its place in the order in which they were given, and what there is for it.
type Found<K, V> = (usize, K, Rows<V>);

/// A key without a value.
struct Missing<K, V: 'static> {
    /// Taken from it as soon as there is something for it.
    key: Option<K>,
    /// Its place among the keys of the batch.
    at: usize,
    load: Result<Arc<dyn Load<V>>, Uncached>,
    anew: bool,
    /// Its flight was waited for in vain: load it without one.
    alone: bool,
}

impl<K, V: 'static> Missing<K, V> {
    /// The place of this one key.
    fn at(&self) -> At<V> {
        At(match &self.load {
            Ok(load) => Place::Miss {
                load: Arc::clone(load),
                anew: false,
            },
            Err(Uncached(error)) => Place::Bypass(error.as_ref().map(|error| error.again())),
        })
    }
}

/// Why the cache is not to be used: the call goes past it, or it cannot be found.
struct Uncached(Option<Box<Error>>);

/// A key that this call loads, with the duty to tell those who wait for it; without one where
/// nobody can.
struct Led<K, V: 'static> {
    missing: Missing<K, V>,
    lead: Option<Lead<V>>,
}

/// Who loads what.
struct Round<K, V: 'static> {
    leads: Vec<Led<K, V>>,
    joins: Vec<(Missing<K, V>, Joined<V>)>,
}

impl<R> Batch<R>
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
{
    /// Looks every key up.
    pub(crate) fn look<I>(keys: &I, mut at: impl FnMut(&R::Key) -> At<R::Value>) -> Self
    where
        I: Keys<Key = R::Key> + ?Sized,
    {
        let each = keys.each();
        let many = each.size_hint().0;
        let mut batch = Batch {
            keys: 0,
            found: Vec::new(),
            missing: Vec::new(),
            absent: Vec::new(),
            beyond: Vec::new(),
        };
        let mut seen = HashSet::with_capacity_and_hasher(many, RandomState::default());
        let looking = Looking::begin();
        for key in each {
            if !seen.insert(key) {
                continue;
            }
            batch.add(key, at(key), many, &looking);
        }
        batch
    }

    /// Adds a key, one of so many.
    fn add(&mut self, key: &R::Key, at: At<R::Value>, many: usize, looking: &Looking) {
        let (key, at, place) = (key.clone(), at.0, self.keys);
        self.keys += 1;
        let (load, anew) = match at {
            Place::Hit(value) | Place::Ready { value, .. } => {
                if self.found.is_empty() {
                    self.found.reserve(many);
                }
                self.found.push((place, key, Rows::One(value)));
                return;
            }
            Place::Miss { load, anew } => (Ok(load), anew),
            Place::Bypass(error) => (Err(Uncached(error.map(Box::new))), false),
        };
        if self.missing.is_empty() {
            self.missing.reserve(many);
            if let Ok(load) = &load {
                looking.missed(load.base());
            }
        }
        self.missing.push(Missing {
            key: Some(key),
            at: place,
            load,
            anew,
            alone: false,
        });
    }

    /// The places of all keys, for invalidation.
    pub(crate) fn places(self) -> impl Iterator<Item = At<R::Value>> {
        self.missing.into_iter().map(|missing| missing.at())
    }

    /// Loads what is missing, or waits for those who do, until nothing is.
    async fn whole<F>(mut self, load: impl Fn(Vec<Led<R::Key, R::Value>>) -> F, take: Take<R>) -> R
    where
        F: Future<Output = Brought<R>>,
    {
        while !self.missing.is_empty() {
            let round = self.enter();
            if !round.leads.is_empty() {
                let brought = load(round.leads).await;
                match self.take(brought) {
                    Some(Failure::Result(failed)) => return failed,
                    Some(Failure::Panic(panic)) => resume_unwind(panic),
                    None => {}
                }
            }
            if !round.joins.is_empty() {
                let told = Waits::new(round.joins).await;
                if let Some(failed) = self.hear(told, take) {
                    return failed;
                }
            }
        }
        self.answers()
    }

    /// All that was found, in the order of the keys.
    fn answers(mut self) -> R {
        if !self.beyond.is_empty() {
            self.add_beyond();
        }
        if !self.found.is_sorted_by_key(|(at, ..)| *at) {
            self.found.sort_by_key(|(at, ..)| *at);
        }
        let mut pairs = Vec::with_capacity(self.found.len());
        for (_, key, rows) in self.found {
            match rows {
                Rows::One(value) => pairs.push((key, value)),
                Rows::Several(values) => {
                    pairs.extend(values.into_iter().map(|value| (key.clone(), value)));
                }
            }
        }
        R::whole(pairs)
    }

    fn add_found(&mut self, missing: Missing<R::Key, R::Value>, rows: Rows<R::Value>) {
        let (at, key) = (missing.at, missing.key);
        self.found.extend(key.map(|key| (at, key, rows)));
    }

    /// The keys, in the order in which they were given.
    fn keys(self) -> Vec<R::Key> {
        let found = self.found.into_iter().map(|(at, key, _)| (at, Some(key)));
        let missing = self.missing.into_iter().map(|it| (it.at, it.key));
        let mut keys: Vec<_> = found.chain(missing).collect();
        keys.sort_by_key(|(at, _)| *at);
        keys.into_iter().filter_map(|(_, key)| key).collect()
    }

    /// Decides for every missing key who loads it.
    fn enter(&mut self) -> Round<R::Key, R::Value> {
        let mut round = Round {
            leads: Vec::with_capacity(self.missing.len()),
            joins: Vec::new(),
        };
        let mut start = None;
        let mut start = |engine: &Engine| *start.get_or_insert_with(|| Start::now(engine));
        for missing in std::mem::take(&mut self.missing) {
            let lead = match &missing.load {
                Err(_) => None,
                Ok(load) if missing.alone => {
                    Some(Lead::new(Arc::clone(load), start(&load.base().engine)))
                }
                Ok(load) => {
                    let flights = &load.base().engine.flights;
                    match flights.enter_at(load, missing.anew, &mut start) {
                        Entered::Fresh(value) => {
                            self.add_found(missing, Rows::One(value));
                            continue;
                        }
                        Entered::Join(joined) => {
                            round.joins.push((missing, joined));
                            continue;
                        }
                        Entered::Lead(lead) => Some(lead),
                        Entered::Inside => None,
                    }
                }
            };
            round.leads.push(Led { missing, lead });
        }
        round
    }

    /// Takes what this call's load brought.
    fn take(&mut self, brought: Brought<R>) -> Option<Failure<R>> {
        match self.found.is_empty() {
            true => self.found = brought.asked,
            false => self.found.extend(brought.asked),
        }
        self.absent.extend(brought.absent);
        self.beyond.extend(brought.beyond);
        brought.failed
    }

    /// Adds what loads were not asked for: it is returned, and not stored, as nothing says which load
    /// it is of. It stands in for what there is nothing for else.
    fn add_beyond(&mut self) {
        let found = self.found.iter().map(|(_, key, _)| (key.clone(), None));
        let absent = (self.absent.drain(..)).map(|(at, key)| (key, Some(at)));
        let mut places: HashMap<_, _, RandomState> = found.chain(absent).collect();
        for (key, rows) in self.beyond.drain(..) {
            let at = match places.insert(key.clone(), None) {
                Some(None) => continue,
                Some(Some(at)) => at,
                None => {
                    self.keys += 1;
                    self.keys - 1
                }
            };
            self.found.push((at, key, rows));
        }
    }

    /// Takes what others' loads brought; returns their error, if that is what this call ends with.
    fn hear(&mut self, told: Vec<Told<R::Key, R::Value>>, take: Take<R>) -> Option<R> {
        let mut failed = None;
        for told in told {
            match told {
                Told::Rows(missing, rows) => self.add_found(missing, rows),
                Told::Absent(missing) => {
                    let (at, key) = (missing.at, missing.key);
                    self.absent.extend(key.map(|key| (at, key)));
                }
                Told::Again(missing) => self.missing.push(missing),
                Told::Failed(mut missing, error) => {
                    failed = failed.or_else(|| take?(&*error));
                    // An error that cannot be read is none of this function's: load without it.
                    missing.alone = true;
                    self.missing.push(missing);
                }
            }
        }
        failed
    }
}

/// Reads the error of somebody else's load.
type Take<R> = Option<fn(&share::Shared) -> Option<R>>;
