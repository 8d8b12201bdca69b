//! Keys whose values are numbered: each has one writer at a time, in whatever process, which gives
//! the source the next number, changes what is cached in one way or another, and notes whether that
//! was confirmed. From then on nobody may be given an older number.
//!
//! A value says which key it is of, so that one of another key is found out as well.

use std::time::Duration;

use dewar::{Cache, Error, Invalidated, cached, entry, invalidate};

use crate::world::World;

pub(crate) const KEYS: u64 = 100;
const HOUR: Duration = Duration::from_secs(3600);

/// How a key is read and changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By a function.
    Value,
    /// By one whose values expire, and are served stale while they are loaded.
    Served,
    /// By hand, loaded where there is nothing.
    Loaded,
    /// By hand, and only what was put there.
    Plain,
}

pub(crate) fn kind(key: u64) -> Kind {
    match key {
        0..40 => Kind::Value,
        40..56 => Kind::Served,
        56..76 => Kind::Loaded,
        _ => Kind::Plain,
    }
}

/// What is cached of a version.
fn stamp(key: u64, version: u64) -> u64 {
    version << 8 | key
}

/// The version in what was cached.
#[track_caller]
fn version(key: u64, value: u64) -> u64 {
    assert_eq!(value & 0xff, key, "the value of another key");
    value >> 8
}

fn load(key: u64) -> u64 {
    let value = stamp(key, World::inherited().source(key));
    std::thread::sleep(Duration::from_micros(300));
    value
}

#[cached(timeout = 600, key_prefix = "value:{key}", tags("third:{third}"))]
fn value(key: u64, third: u64) -> u64 {
    let _ = third;
    load(key)
}

#[cached(
    timeout = 0.2,
    key_prefix = "served:{key}",
    tags("served"),
    stale_while_revalidate = 600
)]
fn served(key: u64) -> u64 {
    load(key)
}

fn name(key: u64) -> String {
    format!("hand:{key}")
}

/// The version that somebody is given who asks now.
pub(crate) fn read(cache: &Cache, key: u64, random: u64) -> Option<u64> {
    let (hand, name) = (cache.blocking(), name(key));
    let of_source = || Ok::<u64, ()>(load(key));
    let value = match (kind(key), random % 8) {
        (Kind::Value, 0) => entry!(value(key, key % 3)).get(),
        (Kind::Value, _) => Some(value(key, key % 3)),
        (Kind::Served, _) => Some(served(key)),
        (Kind::Loaded, 0..3) => hand.get(&name),
        (Kind::Loaded, 3) => {
            let all = |missing: Vec<String>| {
                let each = missing.into_iter().map(|name| (name, load(key)));
                Ok::<_, ()>(each.collect())
            };
            let loaded = hand.get_or_load_many(&[&name], HOUR, all).unwrap();
            loaded.get(&name).copied()
        }
        (Kind::Loaded, _) => hand.get_or_load(&name, HOUR, of_source).ok(),
        (Kind::Plain, 0) => {
            let other = self::name(KEYS - 1);
            hand.get_many(&[&other, &name]).get(&name).copied()
        }
        (Kind::Plain, _) => hand.get(&name),
    };
    value.map(|value| version(key, value))
}

/// What became of a change.
pub(crate) enum Change {
    /// Nobody may be given what is older.
    Confirmed,
    /// Nobody in this process may.
    Unconfirmed,
}

impl From<Result<(), Error>> for Change {
    fn from(done: Result<(), Error>) -> Self {
        match done {
            Ok(()) => Change::Confirmed,
            Err(_) => Change::Unconfirmed,
        }
    }
}

/// Has what is cached be of this version, or not be there.
pub(crate) fn change(cache: &Cache, key: u64, new: u64, random: u64) -> Change {
    let value = stamp(key, new);
    match kind(key) {
        Kind::Value => change_value(cache, key, value, random),
        Kind::Served => change_served(cache, key, value, random),
        Kind::Loaded => change_by_hand(cache, key, value, random % 12),
        Kind::Plain => change_by_hand(cache, key, value, random % 16),
    }
}

fn change_value(cache: &Cache, key: u64, new: u64, random: u64) -> Change {
    let third = key % 3;
    let done = match random % 240 {
        // What reaches beyond the key is rare: it would set right what is wrong elsewhere.
        0 => invalidate!(pattern = "value:*"),
        1 => invalidate!(all),
        2 => cache.clear(),
        3..10 => invalidate!(value),
        10..40 => invalidate!(prefix = "value:{key}"),
        40..60 => invalidate!(tag = "third:{third}"),
        60..70 => invalidate!(soft, tag = "third:{third}"),
        70..90 => invalidate!(soft, value(key, third)),
        90..100 => entry!(value(key, third)).invalidate(),
        100..110 => invalidate!(value(key, third), tag = "none", prefix = "none:{key}"),
        110..140 => return entry!(value(key, third)).put(new).into(),
        140..170 => {
            let again = || entry!(value(key, third)).refresh();
            return refresh(cache, new, again, || invalidate!(value(key, third)));
        }
        _ => invalidate!(value(key, third)),
    };
    done.wait().into()
}

fn change_served(cache: &Cache, key: u64, new: u64, random: u64) -> Change {
    let done = match random % 8 {
        0 => invalidate!(tag = "served"),
        1..3 => invalidate!(prefix = "served:{key}"),
        3 => return entry!(served(key)).put(new).into(),
        4 => {
            let again = || entry!(served(key)).refresh();
            return refresh(cache, new, again, || invalidate!(served(key)));
        }
        _ => invalidate!(served(key)),
    };
    done.wait().into()
}

/// Computes afresh. That says nothing of the store: it is taken for confirmed where nothing has
/// failed, and else what was there is invalidated.
fn refresh(
    cache: &Cache,
    new: u64,
    again: impl FnOnce() -> u64,
    invalidate: impl FnOnce() -> Invalidated,
) -> Change {
    let errors = cache.stats().store_errors;
    let well = || {
        let status = cache.store_status().unwrap();
        status.undelivered == 0 && status.health == dewar::store::Health::Up
    };
    let before = well();
    assert_eq!(again(), new, "what the function returns");
    match before && well() && cache.stats().store_errors == errors {
        true => Change::Confirmed,
        false => invalidate().wait().into(),
    }
}

fn change_by_hand(cache: &Cache, key: u64, new: u64, way: u64) -> Change {
    let (hand, name) = (cache.blocking(), name(key));
    let done = match way {
        0..4 => hand.set(&name, new, HOUR),
        4..6 => {
            let others = (0..3).map(|n| (format!("other:{n}"), new));
            let all = others.chain([(name, new)]);
            hand.set_many(all.collect::<Vec<_>>(), HOUR)
        }
        6..8 => hand.delete(&name).map(drop),
        8 => hand.delete_many(&["other:0", &name]).map(drop),
        9 => hand.set(&name, new, Duration::ZERO),
        10 => cache
            .invalidation()
            .prefix(format!("hand:{key}"))
            .run()
            .wait(),
        11 => hand.set(&name, new, dewar::Expiry::Never),
        // Rarely is there nothing, so first it is removed.
        _ => {
            let deleted = hand.delete(&name);
            return match hand.add(&name, new, HOUR) {
                Ok(true) => Change::Confirmed,
                _ => deleted.map(drop).into(),
            };
        }
    };
    done.into()
}

/// What must never bring anything back, done by anybody at any time.
pub(crate) fn disturb(cache: &Cache, key: u64) {
    match kind(key) {
        Kind::Value => drop(entry!(value(key, key % 3)).refresh()),
        Kind::Served => drop(entry!(served(key)).refresh()),
        Kind::Loaded | Kind::Plain => drop(cache.blocking().touch(&name(key), HOUR)),
    }
}
