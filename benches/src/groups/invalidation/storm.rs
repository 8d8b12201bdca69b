//! Reads while another thread keeps invalidating something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Levels, held, nanos};
use crate::cli::Effort;
use crate::measure::pin;
use crate::peers::{STORES, Store};
use crate::report::{OURS, Table, Unit};
use crate::summary::Summary;

/// 10,000 a second.
const PAUSE: Duration = Duration::from_micros(100);

/// Keys that are read, and below them nothing that is invalidated.
const READ: u64 = 10_000;

/// How long passes of reads take, while `disturb` is called 10,000 times a second.
fn reads(passes: u64, read: impl Fn(), disturb: impl FnMut(u64) + Send) -> Summary {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| disturbing(&ended, disturb));
        pin(0);
        read();
        let times = (0..passes).map(|_| nanos(&read) / READ as f64).collect();
        ended.store(true, Ordering::Relaxed);
        Summary::of(times)
    })
}

fn disturbing(ended: &AtomicBool, mut disturb: impl FnMut(u64)) {
    pin(1);
    let start = Instant::now();
    for at in 0.. {
        while start.elapsed() < PAUSE * at {
            std::hint::spin_loop();
        }
        if ended.load(Ordering::Relaxed) {
            return;
        }
        disturb(u64::from(at));
    }
}

pub(super) fn run(effort: Effort) -> Table {
    let entries: u64 = effort.pick(200_000, 40_000);
    let passes = effort.pick(301, 21);
    let keys: Vec<u64> = (0..READ).collect();
    let mut table = Table::new("storm");
    let stores: Vec<_> = STORES
        .iter()
        .map(|kind| (kind.0, full(kind.1, entries)))
        .collect();
    let quiet = stores.iter().map(|(name, store)| {
        let read = || assert_eq!(store.call(&keys), 0);
        (*name, reads(passes, read, |_| ()))
    });
    table.row("none", Unit::Time, quiet.collect());
    let single = stores.iter().map(|(name, store)| {
        let read = || assert_eq!(store.call(&keys), 0);
        let disturb = |at| store.invalidate(&[READ + at % (entries - READ)]);
        (*name, reads(passes, read, disturb))
    });
    table.row("of single entries", Unit::Time, single.collect());
    drop(stores);

    let levels = Levels {
        entries,
        each: READ,
    };
    let (cache, keys) = (held::dewar(levels), levels.of(0));
    let read = || {
        cache.scope_blocking(|| {
            keys.iter().for_each(|key| {
                let _ = held::ours(key.0, key.1);
            })
        })
    };
    let disturb = |at| held::prefix(&cache, 1 + at % (levels.count() - 1));
    let ours = reads(passes, read, disturb);
    table.row("of prefixes", Unit::Time, vec![(OURS, ours)]);
    table
}

fn full(make: fn(usize) -> Box<dyn Store>, entries: u64) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = make(entries as usize * 2).into();
    store.call(&(0..entries).collect::<Vec<_>>());
    store.settle();
    store
}
