use super::{Entry, Limit, Memory, Meta, Slot};
use crate::clock::NEVER;
use crate::key::OwnedKey;
use crate::policy::Policy;
use std::any::TypeId;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

fn memory(limit: Limit) -> (Arc<Memory>, Arc<AtomicUsize>) {
    let evicted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&evicted);
    let on_evict = Arc::new(move |_: &Meta| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    (
        Arc::new(Memory::new(limit, Arc::new(|_| 10), on_evict)),
        evicted,
    )
}

fn slot(memory: &Memory, key: u64, order: u64) -> Slot {
    let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let meta = Meta {
        number: memory.number(),
        hash,
        order,
        times: Policy::DEFAULT.times(0, NEVER, 0),
        scopes: crate::scope::Scopes::new(0, "", []),
        checked: AtomicU64::new(0),
        reads: Default::default(),
        counters: Arc::default(),
        bytes: 0,
    };
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
        numbers.insert(slot.meta().number);
    });
    numbers
}

fn assert_agree(memory: &Memory) {
    memory.moka.run_pending_tasks();
    let decided: HashSet<u64> = memory.moka.iter().map(|(id, _)| id.number).collect();
    assert_eq!(indexed(memory), decided);
}

#[test]
fn a_newer_entry_replaces_an_older_one_and_not_the_other_way_round() {
    let (memory, _) = memory(Limit::Entries(10));
    let (old, new) = (slot(&memory, 1, 1), slot(&memory, 1, 2));
    assert!(memory.insert(new.clone(), |old| old.is_none()));
    assert!(!memory.insert(old, |_| true));
    let found = memory.find(new.key()).map(|slot| slot.meta().order);
    assert_eq!(found, Some(2));
    assert_agree(&memory);
}

#[test]
fn removing_a_replaced_entry_leaves_its_successor() {
    let (memory, _) = memory(Limit::Entries(10));
    let (old, new) = (slot(&memory, 1, 1), slot(&memory, 1, 2));
    memory.insert(old.clone(), |_| true);
    memory.insert(new.clone(), |_| true);
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
        memory.insert(slot(&memory, key, key), |_| true);
    }
    assert_agree(&memory);
    assert!(memory.len() <= 100, "{}", memory.len());
    assert_eq!(evicted.load(Ordering::SeqCst) + memory.len(), 10_000);
}

#[test]
fn bytes_bound_by_weight() {
    let (memory, _) = memory(Limit::Bytes(500));
    for key in 0..1_000 {
        memory.insert(slot(&memory, key, key), |_| true);
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
                        let new = slot(memory, key, step);
                        if step % 5 == 0 {
                            if let Some(old) = memory.find(new.key()) {
                                memory.remove(&old);
                            }
                        } else {
                            memory.insert(new, |_| true);
                        }
                        if step % 500 == 0 {
                            memory.sweep(|meta| meta.number % 7 != 0);
                        }
                    }
                });
            }
        });
        assert_agree(&memory);
    }
}
