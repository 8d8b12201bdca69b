//! How often the value is there, when not all fit.

use crate::cli::Effort;
use crate::peers::{self, Kind};
use crate::report::{Section, Table, Unit};
use crate::summary::Summary;
use crate::traces;

const ABOUT: &str = "Hits of a hundred calls, one after the other, from an empty cache that is \
    allowed to hold 1 % or 10 % of the keys. The traces are the same in every run; what is let go \
    depends on random hashes too, in a loop by some points: there a cell is the median of nine. \
    `cached` stands for LRU.";

const KINDS: &[Kind] = &[
    (peers::dewar::NAME, peers::dewar::store),
    (peers::moka::NAME, peers::moka::store),
    (peers::quick_cache::NAME, peers::quick_cache::store),
    (peers::foyer::NAME, peers::foyer::store),
    (peers::cached::NAME, peers::cached::store),
];

/// Measures the group.
pub fn run(effort: Effort) -> Section {
    let keys = effort.pick(100_000, 10_000);
    let length = effort.pick(2_000_000, 100_000);
    let mut table = Table::new("hit ratio");
    for (name, trace) in traces::standard(keys, length) {
        for (share, capacity) in [("1 %", keys / 100), ("10 %", keys / 10)] {
            let runs = if name == "loop" { effort.pick(9, 1) } else { 1 };
            let ratio = |(name, make): &Kind| {
                let run = |_| {
                    let loads = make(capacity as usize).call(&trace) as f64;
                    100.0 * (1.0 - loads / length as f64)
                };
                (*name, Summary::of((0..runs).map(run).collect()))
            };
            let cells = KINDS.iter().map(ratio).collect();
            table.row(format!("{name}, capacity {share}"), Unit::Percent, cells);
        }
    }
    Section {
        about: ABOUT,
        tables: vec![table],
    }
}
