//! What is cached, without loading it: in memory, or else on the shared store.

use std::sync::Arc;

#[cfg(feature = "stores")]
use super::Engine;
use super::call::Load;
#[cfg(feature = "stores")]
use super::through::{Read, accept, peek_all};
use crate::clock::Nanos;

type LoadOf<R> = Arc<dyn Load<R>>;

/// The fresh values of several calls of one function. What the store has is kept in memory.
pub(crate) async fn fresh_all<R>(loads: &[&LoadOf<R>]) -> Vec<Option<R>> {
    #[cfg(feature = "stores")]
    let mut kept = keep_all(loads).await.into_iter();
    #[cfg(not(feature = "stores"))]
    let mut kept = std::iter::empty();
    let fresh = |load: &&LoadOf<R>| kept.next().flatten().or_else(|| load.fresh());
    loads.iter().map(fresh).collect()
}

/// How long the values of several calls of one function are fresh still.
pub(crate) async fn left_all<R>(loads: &[&LoadOf<R>]) -> Vec<Option<Nanos>> {
    let left: Vec<Option<Nanos>> = loads.iter().map(|load| load.left()).collect();
    #[cfg(feature = "stores")]
    let left = ask_all(loads, left).await;
    left
}

/// The same, with what the store says where memory has nothing.
#[cfg(feature = "stores")]
async fn ask_all<R>(loads: &[&LoadOf<R>], mut left: Vec<Option<Nanos>>) -> Vec<Option<Nanos>> {
    let missing = missing(loads, &left);
    let asked: Vec<&LoadOf<R>> = missing.iter().map(|at| loads[*at]).collect();
    for (at, read) in missing.into_iter().zip(peek_all(&asked).await) {
        left[at] = read.value.map(|value| value.left);
    }
    left
}

/// Which of several calls the store is to be asked for.
#[cfg(feature = "stores")]
fn missing<R>(loads: &[&LoadOf<R>], left: &[Option<Nanos>]) -> Vec<usize> {
    let missing = loads.iter().zip(left).enumerate();
    let shares = |load: &LoadOf<R>| load.base().engine.shares();
    missing
        .filter_map(|(at, (load, left))| (left.is_none() && shares(load)).then_some(at))
        .collect()
}

/// Of what memory has not, the values that the store has.
#[cfg(feature = "stores")]
async fn keep_all<R>(loads: &[&LoadOf<R>]) -> Vec<Option<R>> {
    let left: Vec<Option<Nanos>> = loads.iter().map(|load| load.left()).collect();
    let missing = missing(loads, &left);
    let asked: Vec<&LoadOf<R>> = missing.iter().map(|at| loads[*at]).collect();
    let Some(load) = asked.first() else {
        return Vec::new();
    };
    let mut kept: Vec<Option<R>> = loads.iter().map(|_| None).collect();
    let fetched = fetch_all(&load.base().engine, &asked).await;
    for (at, value) in missing.into_iter().zip(fetched) {
        kept[at] = value;
    }
    kept
}

/// The values that the store has of several calls, read in one operation and kept in memory.
#[cfg(feature = "stores")]
pub(crate) async fn fetch_all<R>(engine: &Arc<Engine>, loads: &[&LoadOf<R>]) -> Vec<Option<R>> {
    // First that they are being loaded, then the tick: as for any load.
    let _loading: Vec<_> = loads
        .iter()
        .map(|load| engine.loading(load.base().hash))
        .collect();
    let began = engine.begin();
    let refreshed = loads.iter().map(|load| load.base().is_refreshed());
    let refreshed: Vec<bool> = refreshed.collect();
    let reads = peek_all(loads).await;
    let keep = |((load, mut read), refreshed): ((&&LoadOf<R>, Read), bool)| {
        let value = accept(&***load, &mut read)?;
        if !refreshed {
            load.store(&value, began);
        }
        Some(value)
    };
    loads.iter().zip(reads).zip(refreshed).map(keep).collect()
}
