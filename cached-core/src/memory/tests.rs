use super::{Entry, Limit, Memory, Meta, Slot};
use crate::clock::NEVER;
use crate::engine::Began;
use crate::key::OwnedKey;
use crate::policy::Policy;
use crate::stats::Counters;
use std::any::TypeId;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn memory(limit: Limit) -> (Arc<Memory>, Arc<AtomicUsize>) {
    let evicted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&evicted);
    let on_evict = Arc::new(move |_: &super::Slot| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    (
        Arc::new(Memory::new(limit, None, Arc::new(|_, _| 10), on_evict)),
        evicted,
    )
}

pub(super) fn slot(key: u64, order: u64) -> Slot {
    slot_at(key.wrapping_mul(0x9E37_79B9_7F4A_7C15), key, order)
}

/// One that is counted there.
#[cfg(feature = "tower")]
pub(super) fn slot_of(counters: &Arc<Counters>, key: u64, order: u64) -> Slot {
    let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    counted(Arc::clone(counters), hash, key, order)
}

fn slot_at(hash: u64, key: u64, order: u64) -> Slot {
    counted(Arc::default(), hash, key, order)
}

fn counted(counters: Arc<Counters>, hash: u64, key: u64, order: u64) -> Slot {
    let times = Policy::DEFAULT.times(0, NEVER, 0);
    let scopes = crate::scope::Scopes::new(0, "", []);
    let began = Began {
        tick: 0,
        order,
        #[cfg(feature = "stores")]
        at: 0,
    };
    let meta = Meta::new(began, times, scopes, counters);
    let key = OwnedKey {
        hash,
        marker: TypeId::of::<()>(),
        parts: (key, ()),
    };
    Slot::new(Entry {
        meta,
        key,
        value: order,
    })
}

/// The numbers of the entries in the index.
fn indexed(memory: &Memory) -> HashSet<u64> {
    let mut numbers = HashSet::new();
    memory.index.for_each(|slot| {
        numbers.insert(slot.id().0);
    });
    numbers
}

pub(super) fn assert_agree(memory: &Memory) {
    memory.moka.run_pending_tasks();
    let decided: HashSet<u64> = memory.moka.iter().map(|(id, _)| id.0).collect();
    let indexed = indexed(memory);
    let only_indexed: Vec<_> = indexed.difference(&decided).collect();
    let only_decided: Vec<_> = decided.difference(&indexed).collect();
    assert_eq!((only_indexed, only_decided), (vec![], vec![]));
}

#[test]
fn a_newer_entry_replaces_an_older_one_and_not_the_other_way_round() {
    let (memory, _) = memory(Limit::Entries(10));
    let (old, new) = (slot(1, 1), slot(1, 2));
    assert!(memory.insert(new.clone(), 0, |old| old.is_none()));
    assert!(!memory.insert(old, 0, |_| true));
    let found = memory.find(new.key()).map(|slot| slot.meta().order());
    assert_eq!(found, Some(2));
    assert_agree(&memory);
}

#[test]
fn removing_a_replaced_entry_leaves_its_successor() {
    let (memory, _) = memory(Limit::Entries(10));
    let (old, new) = (slot(1, 1), slot(1, 2));
    memory.insert(old.clone(), 0, |_| true);
    memory.insert(new.clone(), 0, |_| true);
    assert!(!memory.remove(&old));
    assert_eq!(memory.len(), 1);
    assert!(memory.remove(&new));
    assert_eq!(memory.len(), 0);
    assert_agree(&memory);
}

#[test]
fn the_index_never_outgrows_what_moka_allows() {
    let (memory, evicted) = memory(Limit::Entries(100));
    for key in 0..10_000 {
        memory.insert(slot(key, key), 0, |_| true);
    }
    assert_agree(&memory);
    assert!(memory.len() <= 100, "{}", memory.len());
    assert_eq!(evicted.load(Ordering::SeqCst) + memory.len(), 10_000);
}

#[test]
fn bytes_bound_by_weight() {
    let (memory, _) = memory(Limit::Bytes(500));
    for key in 0..1_000 {
        memory.insert(slot(key, key), 0, |_| true);
    }
    assert_agree(&memory);
    assert!(memory.len() <= 50, "{}", memory.len());
    assert!(memory.settled().1 <= 500);
}

#[test]
fn index_and_moka_agree_after_concurrent_writes_removals_and_evictions() {
    for round in 0..10 {
        let (memory, _) = memory(Limit::Entries(64));
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let memory = &memory;
                scope.spawn(move || {
                    for step in 0..2_000u64 {
                        let key = (step * 31 + thread * 17 + round) % 200;
                        let new = slot(key, step);
                        if step % 5 == 0 {
                            if let Some(old) = memory.find(new.key()) {
                                memory.remove(&old);
                            }
                        } else {
                            memory.insert(new, 0, |_| true);
                        }
                        if step % 500 == 0 {
                            memory.sweep(|slot| slot.id().0 % 7 != 0);
                        }
                    }
                });
            }
        });
        assert_agree(&memory);
    }
}

#[test]
fn of_keys_with_the_same_hash_a_few_are_kept_and_all_can_be_gone_through() {
    const SAME: u64 = 7 << 40;
    let (memory, evicted) = memory(Limit::Entries(10_000));
    for key in 0..1_000 {
        memory.insert(slot_at(SAME, key, 2 * key), 0, |_| true);
        memory.insert(slot(key, 2 * key + 1), 0, |_| true);
        if key % 3 == 0 {
            let last = slot_at(SAME, key, 2 * key);
            memory.remove(&last);
        }
    }
    // papaya does not come to an end with more of them.
    memory.sweep(|_| true);
    assert_agree(&memory);
    assert!(memory.len() <= 1_000 + 16, "{}", memory.len());
    let last = memory.find(slot_at(SAME, 998, 0).key());
    assert_eq!(last.map(|slot| slot.meta().order()), Some(2 * 998));
    let evicted = evicted.load(Ordering::SeqCst);
    assert_eq!(evicted + memory.len(), 2_000 - 334, "each is accounted for");
    memory.sweep(|_| false);
    assert_eq!(memory.len(), 0);
}
