//! The functions under test: synchronous and not, with and without stale values, and every way to
//! invalidate them.

use std::collections::HashMap;
use std::sync::Arc;

use dewar::cached;

use super::World;

#[derive(Clone, Copy)]
pub(crate) enum Function {
    Plain,
    Async,
    Revalidated,
    RefreshedAhead,
    Batch,
}

/// How many functions there are.
pub(crate) const FUNCTIONS: u64 = 5;

impl Function {
    pub(crate) fn number(n: u64) -> Self {
        match n {
            0 => Function::Plain,
            1 => Function::Async,
            2 => Function::Revalidated,
            3 => Function::RefreshedAhead,
            _ => Function::Batch,
        }
    }
}

#[cached(
    timeout = 60,
    key_prefix = "item:{key}",
    tags("items", "key:{key}"),
    skip(world)
)]
fn plain(world: &World, key: u64) -> u64 {
    world.load(key)
}

#[cached(
    timeout = 60,
    key_prefix = "item:{key}",
    tags("items", "key:{key}"),
    skip(world)
)]
async fn asynchronous(world: Arc<World>, key: u64) -> u64 {
    world.load(key)
}

#[cached(
    timeout = 60,
    stale_while_revalidate = 600,
    key_prefix = "item:{key}",
    tags("items", "key:{key}"),
    skip(world)
)]
async fn revalidated(world: Arc<World>, key: u64) -> u64 {
    world.load(key)
}

// Its tags are known only once the value is there.
#[cached(
    timeout = 60,
    refresh_ahead = 0.3,
    key_prefix = "item:{key}",
    tags(|value: &(u64, u64)| vec!["items".to_owned(), format!("key:{}", value.1)]),
    skip(world)
)]
async fn refreshed_ahead(world: Arc<World>, key: u64) -> (u64, u64) {
    (world.load(key), key)
}

#[cached(
    timeout = 60,
    batch = keys,
    key_prefix = "item:{keys}",
    tags("items", "key:{keys}"),
    skip(world)
)]
async fn batch(world: Arc<World>, keys: Vec<u64>) -> HashMap<u64, u64> {
    keys.into_iter().map(|key| (key, world.load(key))).collect()
}

/// The key with its neighbours, so that batches overlap.
fn around(world: &World, key: u64) -> Vec<u64> {
    (0..3).map(|n| (key + n) % world.size()).collect()
}

pub(crate) fn read(world: &Arc<World>, key: u64, function: Function) -> u64 {
    let world = Arc::clone(world);
    match function {
        Function::Plain => plain(&world, key),
        Function::Async => wait(asynchronous(world, key)),
        Function::Revalidated => wait(revalidated(world, key)),
        Function::RefreshedAhead => wait(refreshed_ahead(world, key)).0,
        Function::Batch => {
            let keys = around(&world, key);
            wait(batch(world, keys))[&key]
        }
    }
}

fn wait<F: Future>(future: F) -> F::Output {
    futures::executor::block_on(future)
}

/// Invalidates a key in all functions, one way or another.
pub(crate) fn invalidate(key: u64, how: u64) {
    match how {
        0 => drop(dewar::invalidate!(
            plain(_, key),
            asynchronous(_, key),
            revalidated(_, key),
            refreshed_ahead(_, key),
            batch(_, vec![key])
        )),
        1 => drop(dewar::invalidate!(
            plain,
            asynchronous,
            revalidated,
            refreshed_ahead,
            batch
        )),
        2 => drop(dewar::invalidate!(tag = "key:{key}")),
        3 => drop(dewar::invalidate!(tag = "items")),
        4 => drop(dewar::invalidate!(prefix = "item:{key}")),
        5 => drop(dewar::invalidate!(pattern = "item:*")),
        _ => drop(dewar::invalidate!(all)),
    }
}
