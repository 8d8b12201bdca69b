//! The suite for stores finds those that do something else than the contract says.
#![cfg(feature = "stores")]

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use dewar::store::{Found, Item, Store};
use dewar::testing::{FaultyStore, store_conformance};
use dewar::{BoxFuture, Error};
use futures::executor::block_on;

/// What a store may get wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    SwapForgetsTheTime,
    SwapSeesWhatHasRunOut,
    SetKeepsTheOldTime,
    DurableWritesForgetTheTime,
    ExtendingShortens,
    ExtendsByATenth,
    NeverExtends,
    AddsARepeatedKeyTwice,
    AddsTheOtherOfARepeatedKey,
}

struct Faulty {
    store: FaultyStore,
    fault: Fault,
    /// What was written last, and until when it was to live.
    written: Mutex<HashMap<String, (Item, Option<Instant>)>>,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Faulty {
            store: FaultyStore::new(),
            fault,
            written: Mutex::default(),
        }
    }

    fn note(&self, item: &Item) {
        let until = item.ttl.map(|ttl| Instant::now() + ttl);
        let noted = (item.clone(), until);
        self.written.lock().unwrap().insert(item.key.clone(), noted);
    }

    fn last(&self, key: &str) -> Option<(Item, Option<Instant>)> {
        self.written.lock().unwrap().get(key).cloned()
    }
}

fn for_ever(items: Vec<Item>) -> Vec<Item> {
    let ever = |item| Item { ttl: None, ..item };
    items.into_iter().map(ever).collect()
}

impl Store for Faulty {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        self.store.get_many(keys)
    }

    fn set_many(&self, mut items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        for item in &mut items {
            if self.fault == Fault::SetKeepsTheOldTime
                && item.ttl.is_none()
                && let Some((_, Some(until))) = self.last(&item.key)
            {
                item.ttl = Some(until.saturating_duration_since(Instant::now()));
            }
            self.note(item);
        }
        self.store.set_many(items)
    }

    fn set_durably(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        match self.fault {
            Fault::DurableWritesForgetTheTime => self.store.set_many(for_ever(items)),
            _ => self.store.set_many(items),
        }
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        self.store.delete_many(keys)
    }

    fn add_many(&self, mut items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let mut seen = HashSet::new();
        let again: Vec<bool> = items
            .iter()
            .map(|item| !seen.insert(item.key.clone()))
            .collect();
        if self.fault == Fault::AddsTheOtherOfARepeatedKey && again.contains(&true) {
            items.reverse();
        }
        let added = self.store.add_many(items);
        Box::pin(async move {
            let mut added = added.await?;
            if self.fault == Fault::AddsARepeatedKeyTwice {
                for n in (1..added.len()).filter(|n| again[*n]) {
                    added[n] = added[n - 1];
                }
            }
            Ok(added)
        })
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        match self.fault {
            Fault::SwapForgetsTheTime => self.store.swap(expected, Item { ttl: None, ..item }),
            Fault::SwapSeesWhatHasRunOut => Box::pin(async move {
                let known = self.last(&item.key);
                if known.is_some_and(|(last, _)| last.value == expected) {
                    self.set_many(vec![item]).await?;
                    return Ok(true);
                }
                self.store.swap(expected, item).await
            }),
            _ => self.store.swap(expected, item),
        }
    }

    fn extend_many<'a>(
        &'a self,
        keys: &'a [String],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            match self.fault {
                Fault::NeverExtends => Ok(()),
                Fault::ExtendsByATenth => self.store.extend_many(keys, ttl / 10).await,
                Fault::ExtendingShortens => {
                    let known = keys.iter().filter_map(|key| self.last(key));
                    let ttl = Some(ttl);
                    let items = known.map(|(item, _)| Item { ttl, ..item }).collect();
                    self.store.set_many(items).await
                }
                _ => self.store.extend_many(keys, ttl).await,
            }
        })
    }
}

#[test]
fn a_store_that_breaks_the_contract_is_found_out() {
    let faults = [
        (Fault::SwapForgetsTheTime, "let what was swapped in run out"),
        (
            Fault::SwapSeesWhatHasRunOut,
            "swap nothing that has run out",
        ),
        (Fault::SetKeepsTheOldTime, "whatever it replaces"),
        (Fault::DurableWritesForgetTheTime, "written durably run out"),
        (Fault::ExtendingShortens, "not shorten it"),
        (Fault::ExtendsByATenth, "for as long as was asked"),
        (Fault::AddsARepeatedKeyTwice, "add one of two items"),
        (Fault::AddsTheOtherOfARepeatedKey, "that it added"),
    ];
    std::thread::scope(|scope| {
        for (fault, why) in faults {
            scope.spawn(move || {
                let store = Faulty::new(fault);
                let error = block_on(store_conformance(&store, &store));
                let text = error.expect_err(why).to_string();
                assert!(text.contains(why), "{fault:?}: {text}");
            });
        }
        for fault in [Fault::None, Fault::NeverExtends] {
            scope.spawn(move || {
                let store = Faulty::new(fault);
                block_on(store_conformance(&store, &store)).unwrap();
            });
        }
    });
}
