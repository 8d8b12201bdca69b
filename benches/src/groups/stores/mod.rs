//! A store that processes share, behind the memory tier: Redis, one server for all contenders.

mod product;
mod server;
mod ways;

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;

use futures::future::join_all;
use product::{BATCH, PRODUCTS, batch, loads, unknown};
use server::Server;
use ways::{Ours, Plain, Theirs, Way, runtime};

use crate::cli::Effort;
use crate::measure::{Contender, Race};
use crate::report::{OURS, Section, Table, Unit};

const ABOUT: &str = "One call of an asynchronous function whose value is in a Redis server on the \
    same machine, over TCP: 210 bytes of JSON. Plain `redis` is the crate by hand, `GET` or `MGET` and \
    decoding, on a runtime of one thread, which drives the connection too; so is ours, with \
    `on_caller_runtime`. In the columns *own thread* the connection is driven by another thread, \
    which is what one gets from ours unasked. Where the row does not say so, ours serves nothing \
    from memory, and reads the versions of the entry's scopes along with it. `cached` writes \
    MessagePack; it has no batch, so its hundred are asked for side by side. Side by side: the time \
    of one of 64 calls at once.";

/// The same without a store.
const ALONE: &str = "dewar, no store";
/// Ours, its connection driven by its own thread.
const THREAD: &str = "dewar, own thread";
const PLAIN: &str = "plain redis";
const PLAIN_THREAD: &str = "plain redis, own thread";
const CACHED: &str = "cached";

/// How many calls there are at once, side by side.
const TOGETHER: u64 = 64;

/// What one operation is.
#[derive(Clone, Copy, PartialEq)]
enum What {
    /// A product that is there.
    Hit,
    /// Several of them at once.
    Together,
    /// A product that is not there.
    Miss,
    /// A hundred that are there.
    Batch,
}

/// Operations by one way, on a runtime that is the contender's own.
fn contender<W: Way>(name: &'static str, what: What, way: impl Future<Output = W>) -> Contender {
    let runtime = Arc::new(runtime());
    let way = runtime.block_on(way);
    runtime.block_on(fill(&way));
    Contender::new(name, move |turn| {
        let before = loads();
        runtime.block_on(operate(&way, what, turn.operations));
        let expected = if what == What::Miss {
            turn.operations
        } else {
            0
        };
        assert_eq!(loads() - before, expected, "{name}");
    })
}

/// Has all products stored that will be asked for.
async fn fill(way: &impl Way) {
    for n in 0..PRODUCTS / BATCH {
        for id in batch(n) {
            way.get(id).await;
        }
        way.batch(&batch(n)).await;
    }
}

async fn operate(way: &impl Way, what: What, operations: u64) {
    for n in 0..operations {
        match what {
            What::Hit => drop(black_box(way.get(black_box(n % PRODUCTS)).await)),
            What::Miss => drop(black_box(way.get(unknown()).await)),
            What::Batch => assert_eq!(way.batch(&batch(n)).await as u64, BATCH),
            What::Together => {
                let first = n * TOGETHER;
                let ids = first..first + TOGETHER;
                let calls = ids.map(|id| way.get(black_box(id % PRODUCTS)));
                drop(black_box(join_all(calls).await));
            }
        }
    }
}

/// Measures the group.
pub fn run(effort: Effort) -> Section {
    let server = Server::start();
    let url = &server.url();
    let mut table = Table::new("stores");
    let race = Race::new(effort).rounds(31);
    let memory = race.run(vec![
        contender(OURS, What::Hit, Ours::new(url)),
        contender(ALONE, What::Hit, Ours::alone()),
    ]);
    for cells in memory {
        table.row("hit in memory", Unit::Time, cells);
    }
    for (what, does, parts) in [
        ("hit on the store", What::Hit, 1),
        ("64 hits side by side", What::Together, TOGETHER),
        ("miss, load and store", What::Miss, 1),
        ("batch of 100", What::Batch, 1),
    ] {
        let measured = race.run(vec![
            contender(OURS, does, Ours::on_caller(url)),
            contender(THREAD, does, Ours::without_memory(url)),
            contender(PLAIN, does, Plain::new(url)),
            contender(PLAIN_THREAD, does, Plain::elsewhere(url)),
            contender(CACHED, does, Theirs::new(url)),
        ]);
        for cells in measured {
            let each = cells.into_iter();
            let each = each.map(|(name, it)| (name, it.divided(parts as f64)));
            table.row(what, Unit::Time, each.collect());
        }
    }
    Section {
        about: ABOUT,
        tables: vec![table],
    }
}
