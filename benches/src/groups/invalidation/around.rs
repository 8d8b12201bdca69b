//! What reads cost before something else is invalidated, right after it, and later.

use std::hint::black_box;

use super::{Levels, held, nanos};
use crate::cli::Effort;
use crate::measure::pin;
use crate::report::{OURS, Table, Unit};
use crate::summary::Summary;

/// Nanoseconds per read: before any invalidation, in the first pass after each, and in the passes
/// after that.
type Phases = [Summary; 3];

fn phases(
    rounds: u64,
    keys: &[(u64, u64)],
    read: impl Fn((u64, u64)) -> bool,
    mut invalidate: impl FnMut(u64),
) -> Phases {
    let pass = || {
        let all = || assert!(keys.iter().all(|key| black_box(read(*key))), "stays valid");
        nanos(all) / keys.len() as f64
    };
    let mut measured = [const { Vec::new() }; 3];
    pass();
    measured[0].extend((0..rounds).map(|_| pass()));
    for round in 0..rounds {
        invalidate(round);
        measured[1].push(pass());
        pass();
        measured[2].push(pass());
    }
    measured.map(Summary::of)
}

pub(super) fn run(effort: Effort) -> Vec<Table> {
    pin(0);
    let levels = Levels {
        entries: effort.pick(1_000_000, 100_000),
        each: 10_000,
    };
    let keys = levels.of(levels.count() - 1);
    let rounds = effort.pick(50, 5).min(levels.count() - 1);
    let cache = held::dewar(levels);
    let is_there = |(level, id)| {
        let before = crate::peers::body::loads();
        held::ours(level, id);
        crate::peers::body::loads() == before
    };
    let ours = cache
        .scope_blocking(|| phases(rounds, &keys, is_there, |level| held::prefix(&cache, level)));
    let cache = held::moka(levels);
    let is_there = |key| cache.get(&key).is_some();
    // The predicates add up: twenty of them show it.
    let moka = phases(rounds.min(20), &keys, is_there, |level| {
        held::predicate(&cache, level)
    });

    let mut times = Table::new("reads around an invalidation");
    let mut ratios = Table::new("reads around an invalidation, to those before");
    let contenders = [(OURS, ours), ("moka, predicate", moka)];
    for (at, what) in ["before", "first pass", "after"].into_iter().enumerate() {
        times.row(
            what,
            Unit::Time,
            contenders.map(|(name, it)| (name, it[at])).to_vec(),
        );
        if at > 0 {
            let ratio = |it: Phases| Summary::exact(it[at].median / it[0].median);
            ratios.row(
                what,
                Unit::Times,
                contenders.map(|(name, it)| (name, ratio(it))).to_vec(),
            );
        }
    }
    vec![times, ratios]
}
