//! The bound of pages beside that of entries.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::tests::{assert_agree, slot, slot_of};
use super::{Limit, Memory};
use crate::stats::Counters;

const BUDGET: u64 = 10_000;

/// What is inserted weighs what its `heap` says.
fn memory(entries: u64) -> (Arc<Memory>, Arc<AtomicUsize>) {
    let evicted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&evicted);
    let on_evict = Arc::new(move |_: &super::Slot| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let weigher = Arc::new(|_: &dyn super::AnyEntry, heap| heap as u32);
    let memory = Memory::new(Limit::Entries(entries), Some(BUDGET), weigher, on_evict);
    (Arc::new(memory), evicted)
}

fn page(memory: &Memory, key: u64, order: u64, bytes: usize) {
    memory.missed_page(slot(key, 0).key().hash());
    memory.insert_page(slot(key, order), bytes, |_| true);
}

/// The pages that are held by their bytes.
fn held(memory: &Memory) -> HashSet<u64> {
    memory.settled();
    let pages = memory.pages.as_ref().and_then(|pages| pages.names.get());
    pages.into_iter().flatten().map(|(id, _)| id.0).collect()
}

fn indexed(memory: &Memory, is_page: impl Fn(u64) -> bool) -> HashSet<u64> {
    let mut ids = HashSet::new();
    memory.index.for_each(|slot| {
        let order = slot.meta().order();
        if is_page(order) {
            ids.insert(slot.id().0);
        }
    });
    ids
}

#[test]
fn pages_are_bounded_by_their_bytes_and_functions_by_their_number() {
    let (memory, evicted) = memory(5_000);
    for key in 0..1_000 {
        page(&memory, key, key, 1_000);
        memory.insert(slot(1_000 + key, 1_000 + key), 1_000_000, |_| true);
        assert!(held(&memory).len() <= 10);
    }
    assert_agree(&memory);
    assert_eq!(memory.len(), 1_010);
    assert_eq!(evicted.load(Ordering::SeqCst), 990);
    assert_eq!(held(&memory), indexed(&memory, |order| order < 1_000));
}

#[test]
fn pages_count_as_entries_too() {
    let (memory, _) = memory(10);
    for key in 0..1_000 {
        page(&memory, key, key, 1);
    }
    assert_agree(&memory);
    assert!(memory.len() <= 10);
    assert_eq!(held(&memory), indexed(&memory, |_| true));
}

#[test]
fn a_page_that_is_read_stays_where_others_come_and_go() {
    let (memory, _) = memory(5_000);
    for order in 0..1_000 {
        let read = slot(7, 0);
        match memory.find(read.key()) {
            Some(found) => memory.sample(found.meta(), found.key().hash()),
            None => page(&memory, 7, 2 * order, 2_000),
        }
        page(&memory, 10 + order, 2 * order + 1, 2_000);
        memory.note_all();
    }
    let found = memory.find(slot(7, 0).key());
    assert!(found.is_some_and(|found| found.meta().order() < 100));
}

#[test]
fn a_page_too_large_for_all_of_them_is_not_kept() {
    let (memory, evicted) = memory(10);
    page(&memory, 1, 1, 500);
    page(&memory, 2, 2, BUDGET as usize + 1);
    assert_eq!((memory.len(), evicted.load(Ordering::SeqCst)), (1, 1));
    assert!(memory.find(slot(1, 1).key()).is_some());
    assert_agree(&memory);
}

#[test]
fn what_is_replaced_or_removed_makes_room() {
    let (memory, evicted) = memory(100);
    for order in 0..1_000 {
        // Ten times what fits, one after the other under ten keys.
        page(&memory, order % 10, order, 1_000);
        if order % 7 == 0 {
            let last = memory.find(slot(order % 10, 0).key());
            assert!(last.is_some_and(|last| memory.remove(&last)));
        }
    }
    assert_eq!(evicted.load(Ordering::SeqCst), 0);
    assert_eq!(held(&memory), indexed(&memory, |_| true));
    memory.sweep(|_| false);
    assert!(held(&memory).is_empty() && memory.len() == 0);
}

#[test]
fn they_are_bounded_while_many_write() {
    for round in 0..5 {
        let (memory, _) = memory(64);
        let counters = Arc::default();
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let (memory, counters) = (&memory, &counters);
                scope.spawn(move || {
                    for step in 0..2_000u64 {
                        let key = (step * 31 + thread * 17 + round) % 200;
                        // Pages have an even order, and what is no page an odd one.
                        match step % 5 {
                            0 => {
                                if let Some(old) = memory.find(slot(key, 0).key()) {
                                    memory.remove(&old);
                                }
                            }
                            1 => {
                                let slot = slot_of(counters, key, 2 * step + 1);
                                memory.insert(slot, 9, |_| true);
                            }
                            _ => {
                                let slot = slot_of(counters, key, 2 * step);
                                memory.missed_page(slot.key().hash());
                                memory.insert_page(slot, 500, |_| true);
                            }
                        }
                        if step % 50 == 0 {
                            // What others are just about to put in comes on top.
                            let pages = indexed(memory, |order| order % 2 == 0).len() as u64;
                            assert!(pages * 500 <= BUDGET + 8 * 500, "{pages}");
                        }
                    }
                });
            }
        });
        assert_agree(&memory);
        assert!(memory.len() <= 64);
        let pages = indexed(&memory, |order| order % 2 == 0);
        assert_eq!(held(&memory), pages);
        let (entries, pages) = (memory.len() as u64, pages.len() as u64);
        let bytes = pages * 500 + (entries - pages) * 9;
        let counted: Arc<Counters> = counters;
        let counted = counted.total();
        assert_eq!((counted.entries, counted.bytes), (entries, bytes));
        assert!(memory.tally.is_settled());
    }
}
