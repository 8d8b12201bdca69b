//! What a call leaves behind on a shared store when nobody wants it any more.
#![cfg(all(feature = "stores", target_os = "linux"))]

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use common::{Task, until};
use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, cached};

static OPEN: AtomicBool = AtomicBool::new(false);
static BEGUN: AtomicUsize = AtomicUsize::new(0);

#[cached(
    timeout = 600,
    batch = ids,
    single_flight = "distributed",
    detach = false
)]
async fn many(ids: &[u64]) -> HashMap<u64, u64> {
    BEGUN.fetch_add(ids.len(), SeqCst);
    if !OPEN.load(SeqCst) {
        std::future::pending::<()>().await;
    }
    ids.iter().map(|id| (*id, id * 2)).collect()
}

/// The threads of this process that give leases back.
fn threads() -> usize {
    let all = std::fs::read_dir("/proc/self/task").unwrap();
    let names = all.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("dewar-lease")).count()
}

const MANY: u64 = 1000;

fn call(cache: &TestCache) -> Task<HashMap<u64, u64>> {
    let ids: Vec<u64> = (0..MANY).collect();
    Task::new(cache.run_async(async move { many(&ids).await }))
}

#[test]
fn the_leases_of_a_batch_are_given_back_by_one_thread() {
    let store = FaultyStore::new();
    let process = || TestCache::with(Cache::builder().shared(store.clone())).unwrap();
    let (one, other) = (process(), process());
    let first = call(&one).waiting();
    assert_eq!(BEGUN.load(SeqCst), 1000);
    store.stall(true);
    let begun = store.operations();
    drop(first);
    assert!(until(|| store.operations() > begun), "it is at it");
    assert_eq!(threads(), 1);
    store.stall(false);
    // What was stalled is given up.
    one.advance(std::time::Duration::from_millis(500));
    assert!(until(|| threads() == 0));
    OPEN.store(true, SeqCst);
    let mut second = call(&other);
    assert!(until(|| {
        // What was not given back runs out.
        other.advance(std::time::Duration::from_secs(1));
        second.step().is_ready()
    }));
    assert!(BEGUN.load(SeqCst) >= 2000);
}
