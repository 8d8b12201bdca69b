//! What an entry takes.

use allocation_counter::measure;

use dewar_benches::cli::Effort;
use dewar_benches::peers::{Kind, STORES};
use dewar_benches::report::{Section, Table, Unit};
use dewar_benches::summary::Summary;

const ABOUT: &str = "Bytes that the allocator has handed out and not got back, for each entry of a \
    full cache from `u64` to `u64`, the cache itself included, after it has done what it puts off. \
    What the allocator adds for itself is not counted.";

/// Bytes for each entry.
fn bytes((name, make): &Kind, entries: u64) -> (&'static str, Summary) {
    let keys: Vec<u64> = (0..entries).collect();
    let mut kept = None;
    let measured = measure(|| {
        let store = make(entries as usize);
        store.call(&keys);
        store.settle();
        kept = Some(store);
    });
    drop(kept);
    (
        *name,
        Summary::exact(measured.bytes_current as f64 / entries as f64),
    )
}

pub(crate) fn run(effort: Effort) -> Section {
    let mut table = Table::new("memory");
    let sizes = [("100,000", 100_000), ("1,000,000", 1_000_000)];
    for (name, entries) in &sizes[..effort.pick(2, 1)] {
        let cells = STORES.iter().map(|kind| bytes(kind, *entries)).collect();
        table.row(format!("{name} entries"), Unit::Bytes, cells);
    }
    Section {
        about: ABOUT,
        tables: vec![table],
    }
}
