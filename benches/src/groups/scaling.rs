//! Whether anything grows with the number of entries.

use std::sync::Arc;

use crate::cli::Effort;
use crate::measure::{Contender, Race, Turn};
use crate::peers::{Kind, STORES, Store};
use crate::report::{Section, Table, Unit};
use crate::traces::Random;

const ABOUT: &str = "The same operations in a cache of so many entries, on keys all as likely: for \
    misses a full one, for the others one with room for twice as many, since caches made of several \
    parts let entries go before they are full. What grows here is what no longer fits into the \
    processor's caches, unless it grows faster than that.";

/// Operations of a turn: as many keys are gone through in one batch.
const BATCH: u64 = 1_000;

fn filled((_, make): &Kind, entries: u64, room: u64) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = make(room as usize).into();
    store.call(&(0..entries).collect::<Vec<_>>());
    store.settle();
    store
}

/// Batches of keys from `from` on, among so many.
fn batches(from: u64, entries: u64, count: u64) -> Vec<Vec<u64>> {
    let mut random = Random::new(entries);
    let mut batch = || (0..BATCH).map(|_| from + random.below(entries)).collect();
    (0..count).map(|_| batch()).collect()
}

fn hits(kind: &Kind, entries: u64) -> Contender {
    let store = filled(kind, entries, 2 * entries);
    let batches = batches(0, entries, 50);
    Contender::new(kind.0, move |turn: Turn| {
        for at in 0..turn.operations as usize {
            let loads = store.call(&batches[at % batches.len()]);
            assert_eq!(loads, 0, "each of them is there");
        }
    })
}

fn misses(kind: &Kind, entries: u64) -> Contender {
    let store = filled(kind, entries, entries);
    let mut next = entries;
    Contender::afresh(kind.0, move || {
        let store = Arc::clone(&store);
        let keys: Vec<u64> = (next..next + BATCH).collect();
        next += BATCH;
        move |_: Turn| assert_eq!(store.call(&keys), BATCH)
    })
}

fn invalidations(kind: &Kind, entries: u64) -> Contender {
    let store = filled(kind, entries, 2 * entries);
    let mut batches = batches(0, entries, 50).into_iter().cycle();
    Contender::afresh(kind.0, move || {
        let store = Arc::clone(&store);
        let keys = batches.next().unwrap_or_default();
        store.call(&keys);
        move |_: Turn| store.invalidate(&keys)
    })
}

/// A contender with so many entries.
type Enter = fn(&Kind, u64) -> Contender;

/// Measures the group.
pub fn run(effort: Effort) -> Section {
    let sizes: &[u64] = effort.pick(&[1_000, 10_000, 100_000, 1_000_000], &[1_000, 10_000]);
    // A batch is one operation to the race.
    let race = Race::new(effort).rounds(31).operations(1);
    let mut tables = Vec::new();
    let kinds: [(_, Enter, _); 3] = [
        (
            "hit, by entries",
            hits,
            Race::operations(race, effort.pick(30, 3)),
        ),
        ("miss, by entries", misses, race),
        ("invalidation of one, by entries", invalidations, race),
    ];
    for (title, contender, race) in kinds {
        let mut table = Table::new(title);
        for entries in sizes {
            let contenders = STORES
                .iter()
                .map(|kind| contender(kind, *entries))
                .collect();
            let mut cells = race.run(contenders).remove(0);
            for (_, it) in &mut cells {
                *it = it.divided(BATCH as f64);
            }
            table.row(format!("{entries} entries"), Unit::Time, cells);
        }
        tables.push(table);
    }
    Section {
        about: ABOUT,
        tables,
    }
}
