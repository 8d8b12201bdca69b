//! What is cached, without loading it: in memory, or else on the shared store.

use std::sync::Arc;

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
        left[at] = read.fetched.value.map(|value| value.left);
    }
    left
}

/// Which of several calls the store is to be asked for.
#[cfg(feature = "stores")]
fn missing<R>(loads: &[&LoadOf<R>], left: &[Option<Nanos>]) -> Vec<usize> {
    let shares = |load: &LoadOf<R>| {
        let engine = &load.base().engine;
        engine.tier.is_some() && engine.memory.is_some()
    };
    let missing = loads.iter().zip(left).enumerate();
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
    let Some(engine) = asked.first().map(|load| &load.base().engine) else {
        return Vec::new();
    };
    // First that they are being loaded, then the tick: as for any load.
    let _loading: Vec<_> = asked
        .iter()
        .map(|load| engine.loading(load.base().hash))
        .collect();
    let began = engine.begin();
    let reads = peek_all(&asked).await;
    let keep = |load: &LoadOf<R>, mut read: Read| {
        let value = accept(&**load, &mut read)?;
        load.store(&value, began);
        Some(value)
    };
    let mut kept: Vec<Option<R>> = loads.iter().map(|_| None).collect();
    for ((at, load), read) in missing.into_iter().zip(asked).zip(reads) {
        kept[at] = keep(load, read);
    }
    kept
}
