//! A value that is not there: looked for, loaded and put in.

use std::sync::Arc;

use crate::cli::Effort;
use crate::measure::{Contender, Race, Turn};
use crate::peers::{self, Kind, STORES, Store};
use crate::report::{Section, Table, Unit};

const ABOUT: &str = "One call of a function whose value is missing: look, load (a multiplication), \
    put in. Growing begins with an empty cache of 1,000,000 entries in each round, evicting with a \
    full one of 10,000. With two threads each puts in keys of its own. The second column of ours \
    is a function with a prefix and a tag of its own; moka with an eviction listener is what ours \
    stands on.";

const SCOPED: &str = "dewar, prefix and tag";

/// Keys that no other turn has.
fn fresh_keys(turn: Turn) -> Vec<u64> {
    let from = (turn.thread as u64 + 1) << 40;
    (from..from + turn.operations).collect()
}

fn kinds() -> Vec<Kind> {
    let mut kinds = STORES.to_vec();
    kinds.insert(1, (SCOPED, peers::dewar::scoped_store));
    kinds.push((peers::moka::TELLING, peers::moka::telling_store));
    kinds.push((peers::memoize::NAME, peers::memoize::store));
    kinds
}

/// Calls with keys that are missing, in a store of so many entries that holds the first `filled`.
fn missing((name, make): Kind, capacity: usize, filled: u64, operations: u64) -> Contender {
    let filling: Vec<u64> = (0..filled).collect();
    Contender::afresh(name, move || {
        let store: Arc<dyn Store> = make(capacity).into();
        store.call(&filling);
        store.settle();
        // Made beforehand, so that nothing but the calls is measured.
        let keys = [0, 1].map(|thread| fresh_keys(Turn { thread, operations }));
        move |turn: Turn| {
            let loads = store.call(&keys[turn.thread]);
            assert_eq!(loads, turn.operations, "each of them is missing");
        }
    })
}

/// Measures the group.
pub fn run(effort: Effort) -> Section {
    let operations = effort.pick(20_000, 2_000);
    let race = Race::new(effort)
        .operations(operations)
        .rounds(31)
        .threads(&[1, 2]);
    let mut table = Table::new("miss");
    for (what, capacity, filled) in [("growing", 1_000_000, 0), ("evicting", 10_000, 10_000)] {
        let contenders = kinds()
            .into_iter()
            .map(|kind| missing(kind, capacity, filled, operations))
            .collect();
        for (threads, cells) in ["1 thread", "2 threads"]
            .into_iter()
            .zip(race.run(contenders))
        {
            table.row(format!("{what}, {threads}"), Unit::Time, cells);
        }
    }
    Section {
        about: ABOUT,
        tables: vec![table],
    }
}
