//! How long an invalidation takes, and whether that depends on how much it hits.

use super::{Levels, held, nanos};
use crate::cli::Effort;
use crate::measure::pin;
use crate::peers;
use crate::report::{OURS, Table, Unit};
use crate::summary::Summary;

/// One level after the other.
fn each(levels: Levels, most: u64, mut invalidate: impl FnMut(u64)) -> Summary {
    // A level that is invalidated a second time costs as much: its entries are not looked at.
    let level = |at: u64| nanos(|| invalidate(at % levels.count()));
    Summary::of((0..most).map(level).collect())
}

pub(super) fn run(effort: Effort) -> Vec<Table> {
    pin(0);
    let entries = effort.pick(1_000_000, 100_000);
    let few = effort.pick(7, 2);
    let mut table = Table::new("invalidation");
    let levels = Levels {
        entries,
        each: 10_000,
    };
    let prefix = {
        let cache = held::dewar(levels);
        let ours = each(levels, levels.count(), |level| held::prefix(&cache, level));
        let moka = held::moka(levels);
        let predicate = each(levels, few, |level| held::predicate(&moka, level));
        vec![
            (OURS, ours),
            ("moka, predicate", predicate),
            ("moka, gone through", gone_through(levels, few)),
            ("quick_cache", retained(levels, few)),
            ("cached", retained_lru(levels, few)),
        ]
    };
    table.row(format!("prefix of 10,000 in {entries}"), Unit::Time, prefix);
    let cache = held::dewar(levels);
    let ours = each(levels, levels.count(), |level| held::tag(&cache, level));
    table.row(
        format!("tag of 10,000 in {entries}"),
        Unit::Time,
        vec![(OURS, ours)],
    );
    table.row("one entry", Unit::Time, singles(entries));

    let mut sizes = Table::new("by the number of entries hit");
    for each_level in [100, 10_000, entries] {
        let levels = Levels {
            entries,
            each: each_level,
        };
        let cache = held::dewar(levels);
        let ours = each(levels, 1_000, |level| held::prefix(&cache, level));
        sizes.row(
            format!("{each_level} of {entries}"),
            Unit::Time,
            vec![(OURS, ours)],
        );
    }
    vec![table, sizes]
}

fn gone_through(levels: Levels, most: u64) -> Summary {
    let cache = held::moka(levels);
    each(levels, most, |level| {
        for (key, _) in &cache {
            if key.0 == level {
                cache.invalidate(&*key);
            }
        }
    })
}

fn retained(levels: Levels, most: u64) -> Summary {
    let cache = held::quick_cache(levels);
    each(levels, most, |level| cache.retain(|key, _| key.0 != level))
}

fn retained_lru(levels: Levels, most: u64) -> Summary {
    let mut cache = held::lru(levels);
    each(levels, most, |level| {
        cache.retain(|key, _| key.0 != level);
    })
}

/// One entry after the other.
fn singles(entries: u64) -> Vec<(&'static str, Summary)> {
    let single = |(name, make): &peers::Kind| {
        let store = make(entries as usize);
        store.call(&(0..entries).collect::<Vec<_>>());
        store.settle();
        let keys = (0..1_000).map(|at| at * 97 % entries);
        let times = keys.map(|key| nanos(|| store.invalidate(&[key]))).collect();
        (*name, Summary::of(times))
    };
    peers::STORES.iter().map(single).collect()
}
