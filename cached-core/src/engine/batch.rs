//! Many keys in one call: look all up, run the body once for those that are missing, store each
//! under its own key.
//!
//! Every key has a flight of its own. A call first leads the keys that nobody loads, all by one
//! run of the body, and only then waits for those that others load: two calls that overlap cannot
//! wait for each other.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::hash::Hash;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::answers::{Answers, Keys};
use super::at::{At, Place};
use super::call::Load;
use super::flights::{Body, Entered};
use super::lead::Lead;
#[cfg(feature = "stores")]
use super::through::{accept, fetch_all, write_all};
use super::wait::{Joined, Waited};
use crate::rt;
#[cfg(feature = "stores")]
use crate::store::tier::Fetched;

/// A batch after looking into the cache.
#[must_use]
pub struct Batch<R: Answers<Value: 'static>> {
    /// In the order in which the keys were given.
    keys: Vec<R::Key>,
    found: HashMap<R::Key, R::Value>,
    missing: Vec<Missing<R::Key, R::Value>>,
}

struct Missing<K, V: 'static> {
    key: K,
    /// None: the cache is not to be used.
    load: Option<Arc<dyn Load<V>>>,
    anew: bool,
    /// Its flight was waited for in vain: load it without one.
    alone: bool,
}

impl<R> Batch<R>
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
{
    /// Looks every key up.
    pub(super) fn look<I>(keys: &I, mut at: impl FnMut(&R::Key) -> At<R::Value>) -> Self
    where
        I: Keys<Key = R::Key> + ?Sized,
    {
        let mut batch = Batch {
            keys: Vec::new(),
            found: HashMap::new(),
            missing: Vec::new(),
        };
        let mut seen = HashSet::new();
        for key in keys.each() {
            if !seen.insert(key) {
                continue;
            }
            batch.keys.push(key.clone());
            batch.add(key, at(key));
        }
        batch
    }

    fn add(&mut self, key: &R::Key, at: At<R::Value>) {
        let (load, anew) = match at.0 {
            Place::Hit(value) | Place::Ready { value, .. } => {
                self.found.insert(key.clone(), value);
                return;
            }
            Place::Miss { load, anew } => (Some(load), anew),
            Place::Bypass(_) => (None, false),
        };
        self.missing.push(Missing {
            key: key.clone(),
            load,
            anew,
            alone: false,
        });
    }

    /// The handle on the entries.
    pub fn entry(self) -> BatchEntry<R> {
        BatchEntry(self)
    }

    /// The places of all keys, for invalidation.
    pub(crate) fn places(self) -> impl Iterator<Item = Arc<dyn Load<R::Value>>> {
        self.missing.into_iter().filter_map(|missing| missing.load)
    }

    /// Runs an asynchronous body for the keys that are missing.
    pub async fn run<F>(mut self, mut body: impl FnMut(Vec<R::Key>) -> F) -> R
    where
        F: Future<Output = R>,
    {
        while !self.missing.is_empty() {
            let round = self.enter();
            if let Err(failed) = self.lead(round.leads, &mut body).await {
                return failed;
            }
            self.join(round.joins).await;
        }
        self.whole()
    }

    /// Runs a synchronous body for the keys that are missing.
    pub fn call(self, mut body: impl FnMut(Vec<R::Key>) -> R) -> R {
        if self.missing.is_empty() {
            return self.whole();
        }
        rt::block_on(self.run(|missing| std::future::ready(body(missing))))
    }

    fn whole(mut self) -> R {
        let pairs = self
            .keys
            .into_iter()
            .filter_map(|key| self.found.remove_entry(&key));
        R::whole(pairs.collect())
    }

    /// Decides for every missing key who loads it.
    fn enter(&mut self) -> Round<R::Key, R::Value> {
        let mut round = Round {
            leads: Vec::new(),
            joins: Vec::new(),
        };
        for missing in std::mem::take(&mut self.missing) {
            let Some(load) = &missing.load else {
                round.leads.push((missing, None));
                continue;
            };
            if missing.alone {
                let lead = Lead::solo(Arc::clone(load));
                round.leads.push((missing, Some(lead)));
                continue;
            }
            match load.base().engine.flights.enter(load, missing.anew) {
                Entered::Fresh(value) => {
                    self.found.insert(missing.key, value);
                }
                Entered::Lead(lead) => round.leads.push((missing, Some(lead))),
                Entered::Inside => round.leads.push((missing, None)),
                Entered::Join(joined) => round.joins.push((missing, joined)),
            }
        }
        round
    }

    /// Runs the body once for the keys that this call leads.
    async fn lead<F>(
        &mut self,
        leads: Vec<Led<R::Key, R::Value>>,
        body: &mut impl FnMut(Vec<R::Key>) -> F,
    ) -> Result<(), R>
    where
        F: Future<Output = R>,
    {
        if leads.is_empty() {
            return Ok(());
        }
        #[cfg(feature = "stores")]
        let (leads, fetched) = self.fetch(leads).await;
        if leads.is_empty() {
            return Ok(());
        }
        let keys = leads
            .iter()
            .map(|(missing, _)| missing.key.clone())
            .collect();
        let answers = {
            let body = pin!(body(keys));
            Marked {
                leads: &leads,
                body,
            }
            .await
        };
        match answers.pairs() {
            Ok(pairs) => {
                let answers: HashMap<_, _> = pairs.into_iter().collect();
                #[cfg(feature = "stores")]
                Self::write(&leads, fetched, &answers).await;
                self.land(leads, answers);
                Ok(())
            }
            Err(failed) => self.fail(leads, failed),
        }
    }

    /// Takes what the shared store has, all read in one operation; the rest is left to be loaded.
    #[cfg(feature = "stores")]
    async fn fetch(
        &mut self,
        leads: Vec<Led<R::Key, R::Value>>,
    ) -> (Vec<Led<R::Key, R::Value>>, Vec<Fetched>) {
        let loads: Vec<_> = leads.iter().filter_map(|(m, _)| m.load.clone()).collect();
        let mut all = fetch_all(&loads.iter().collect::<Vec<_>>())
            .await
            .into_iter();
        let (mut left, mut rest) = (Vec::new(), Vec::new());
        for (missing, lead) in leads {
            let mut fetched = match &missing.load {
                Some(_) => all.next().unwrap_or_default(),
                None => Fetched::default(),
            };
            let wanted = missing.load.as_ref().filter(|_| !missing.anew);
            match (wanted.and_then(|load| accept(&**load, &mut fetched)), lead) {
                (Some(value), Some(lead)) => {
                    self.found.insert(missing.key, lead.land(value));
                }
                (Some(value), None) => {
                    self.found.insert(missing.key, value);
                }
                (None, lead) => {
                    left.push((missing, lead));
                    rest.push(fetched);
                }
            }
        }
        (left, rest)
    }

    /// Writes what was loaded to the shared store, in one operation.
    #[cfg(feature = "stores")]
    async fn write(
        leads: &[Led<R::Key, R::Value>],
        fetched: Vec<Fetched>,
        answers: &HashMap<R::Key, R::Value>,
    ) {
        let results = leads
            .iter()
            .zip(fetched)
            .filter_map(|((missing, _), fetched)| {
                let load = missing.load.as_ref()?;
                let encoded = load.encode(answers.get(&missing.key)?);
                Some((load, fetched, encoded))
            });
        write_all(results.collect()).await;
    }

    fn land(&mut self, leads: Vec<Led<R::Key, R::Value>>, mut answers: HashMap<R::Key, R::Value>) {
        for (missing, lead) in leads {
            let Some(value) = answers.remove(&missing.key) else {
                continue;
            };
            let value = match lead {
                Some(lead) => lead.land(value),
                None => value,
            };
            self.found.insert(missing.key, value);
        }
        // What was not asked for is returned, and not stored: nothing says which load it is of.
        for (key, value) in answers {
            if !self.found.contains_key(&key) {
                self.keys.push(key.clone());
                self.found.insert(key, value);
            }
        }
    }

    /// The load failed: stale values in its stead, if there is one for every key.
    fn fail(&mut self, leads: Vec<Led<R::Key, R::Value>>, failed: R) -> Result<(), R> {
        let stale: Option<Vec<_>> = leads
            .iter()
            .map(|(missing, _)| {
                let load = missing.load.as_ref()?;
                Some((missing.key.clone(), load.stale()?))
            })
            .collect();
        for load in leads
            .iter()
            .filter_map(|(missing, _)| missing.load.as_ref())
        {
            load.base().counters.load_errors.one();
            super::run::throttle(&**load);
            if stale.is_some() {
                load.base().counters.fallbacks.one();
            }
        }
        match stale {
            Some(stale) => {
                self.found.extend(stale);
                Ok(())
            }
            None => Err(failed),
        }
    }

    /// Waits for the keys that others load.
    async fn join(&mut self, joins: Vec<Waits<R::Key, R::Value>>) {
        for (mut missing, joined) in joins {
            match joined.await {
                Waited::Result(value) => {
                    self.found.insert(missing.key, value);
                }
                Waited::Alone { .. } => {
                    missing.alone = true;
                    self.missing.push(missing);
                }
                // Keys of a batch are never handed over, so there is nothing to take.
                Waited::Gone | Waited::TakeOver(_) => self.missing.push(missing),
            }
        }
    }
}

type Led<K, V> = (Missing<K, V>, Option<Lead<V>>);
type Waits<K, V> = (Missing<K, V>, Joined<V>);

/// Who loads what.
struct Round<K, V: 'static> {
    leads: Vec<Led<K, V>>,
    joins: Vec<Waits<K, V>>,
}

/// The body of a batch, marked as running for every key that it leads.
struct Marked<'a, K, V: 'static, F> {
    leads: &'a [Led<K, V>],
    body: Pin<&'a mut F>,
}

impl<K, V: 'static, F: Future> Future for Marked<'_, K, V, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let leads = self.leads.iter().filter_map(|(_, lead)| lead.as_ref());
        let _inside: Vec<Body> = leads.filter_map(Lead::body).collect();
        self.body.as_mut().poll(cx)
    }
}

/// A handle on the entries of a batch: what `entry!(f(…))` returns for one.
#[must_use = "a handle does nothing by itself"]
pub struct BatchEntry<R: Answers<Value: 'static>>(Batch<R>);

impl<R> BatchEntry<R>
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
{
    /// For generated code.
    #[doc(hidden)]
    pub fn place(self) -> Batch<R> {
        self.0
    }

    /// Those values that are cached and fresh; nothing is counted and no body runs.
    pub fn get(&self) -> HashMap<R::Key, R::Value> {
        let fresh = |missing: &Missing<R::Key, R::Value>| {
            Some((missing.key.clone(), missing.load.as_ref()?.fresh()?))
        };
        self.0.missing.iter().filter_map(fresh).collect()
    }
}
