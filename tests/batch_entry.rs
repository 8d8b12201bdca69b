//! `entry!` of a batch: a handle on the entries of many keys.

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use common::{End, Failed, Source, Task, secs};
use dewar::testing::isolated;
use dewar::{cached, entry, invalidate};

type Values = HashMap<u64, u64>;

#[cached(timeout = 60, key_prefix = "number:{ids}", batch = ids, skip(runs))]
fn numbers(runs: &AtomicUsize, ids: &[u64]) -> Values {
    runs.fetch_add(1, SeqCst);
    let there = ids.iter().filter(|id| **id < 100);
    there.map(|id| (*id, id * 10)).collect()
}

#[cached(timeout = 60, batch = ids, skip(source))]
async fn loaded(source: &Source, ids: &[u64]) -> Result<Values, Failed> {
    let value = source.load().await?;
    Ok(ids.iter().map(|id| (*id, value)).collect())
}

#[cached(cache = "there is none", batch = ids)]
fn nowhere(ids: &[u64]) -> Values {
    ids.iter().map(|id| (*id, *id)).collect()
}

struct Repo;

impl Repo {
    #[cached(batch = ids, skip(self))]
    async fn names(&self, ids: Vec<u64>) -> HashMap<u64, String> {
        ids.iter().map(|id| (*id, id.to_string())).collect()
    }
}

fn wait<F: Future>(future: F) -> F::Output {
    futures::executor::block_on(future)
}

#[test]
fn it_knows_what_is_cached_without_a_run() {
    isolated(|cache| {
        let runs = AtomicUsize::new(0);
        numbers(&runs, &[1, 2]);
        let before = cache.stats();
        let all = || entry!(numbers(&runs, &[2, 3, 1]));
        assert_eq!(all().get(), Values::from([(1, 10), (2, 20)]));
        assert!(!all().contains());
        assert!(entry!(numbers(&runs, &[2, 1])).contains());
        assert!(entry!(numbers(&runs, &[])).contains());
        cache.advance(secs(20));
        let left: HashMap<u64, Duration> = all().ttl();
        assert_eq!(left, HashMap::from([(1, secs(40)), (2, secs(40))]));
        cache.advance(secs(41));
        assert!(all().get().is_empty() && all().ttl().is_empty());
        assert_eq!((cache.stats(), runs.load(SeqCst)), (before, 1));
    });
}

#[test]
fn it_names_the_keys() {
    isolated(|_| {
        let keys = entry!(numbers(&AtomicUsize::new(0), &[2, 1, 2])).keys();
        assert_eq!(keys.len(), 2, "{keys:?}");
        assert!(keys[0].starts_with("number:2:") && keys[1].starts_with("number:1:"));
    });
}

#[test]
fn what_is_put_in_is_served() {
    isolated(|cache| {
        let runs = AtomicUsize::new(0);
        let handle = entry!(numbers(&runs, &[1, 2, 3]));
        handle.put(Values::from([(1, 7), (3, 8)])).unwrap();
        assert_eq!(handle.get(), Values::from([(1, 7), (3, 8)]));
        let all = numbers(&runs, &[1, 2, 3]);
        assert_eq!(all, Values::from([(1, 7), (2, 20), (3, 8)]));
        assert_eq!((cache.len(), runs.load(SeqCst)), (3, 1));
    });
}

#[test]
fn what_is_put_in_for_another_key_is_an_error_and_nothing_is_stored() {
    isolated(|cache| {
        let runs = AtomicUsize::new(0);
        let handle = entry!(numbers(&runs, &[1]));
        let error = handle.put([(1, 1), (2, 2)]).unwrap_err();
        assert!(error.is_value(), "{error}");
        assert!(cache.is_empty());
    });
}

#[test]
fn without_a_cache_to_put_it_in_or_take_it_out_of_there_is_an_error() {
    let error = entry!(nowhere(&[1])).put([(1, 1)]).unwrap_err();
    assert!(error.is_unknown_cache(), "{error}");
    assert!(invalidate!(nowhere(&[1])).wait().is_err());
    assert_eq!(nowhere(&[1]), Values::from([(1, 1)]));
}

#[test]
fn a_load_under_way_does_not_overwrite_what_is_put_in() {
    isolated(|_| {
        let source = Source::shut(1);
        let ask = Arc::clone(&source);
        let mut load = Task::new(async move { loaded(&ask, &[1, 2]).await }).waiting();
        wait(entry!(loaded(&source, &[1])).put([(1, 5)])).unwrap();
        source.end_all(End::Well);
        assert_eq!(load.done().unwrap(), Values::from([(1, 1), (2, 1)]));
        let all = wait(loaded(&source, &[1, 2])).unwrap();
        assert_eq!(all, Values::from([(1, 5), (2, 1)]));
    });
}

#[test]
fn a_refresh_loads_all_of_them_in_one_run() {
    isolated(|cache| {
        let source = Source::open(1);
        wait(loaded(&source, &[1, 2])).unwrap();
        source.set(2);
        let fresh = wait(entry!(loaded(&source, &[1, 2, 3])).refresh()).unwrap();
        assert_eq!(fresh, Values::from([(1, 2), (2, 2), (3, 2)]));
        assert_eq!(wait(loaded(&source, &[1, 2, 3])).unwrap(), fresh);
        assert_eq!((source.begun(), cache.stats().refreshed), (2, 3));
    });
}

#[test]
fn a_refresh_that_finds_a_key_gone_takes_its_entry_out() {
    isolated(|_| {
        let runs = AtomicUsize::new(0);
        let handle = || entry!(numbers(&runs, &[1, 200]));
        handle().put([(1, 1), (200, 2)]).unwrap();
        assert_eq!(handle().refresh(), Values::from([(1, 10)]));
        assert_eq!(handle().get(), Values::from([(1, 10)]));
    });
}

#[test]
fn past_the_cache_nothing_is_read_and_nothing_stored() {
    isolated(|cache| {
        let runs = AtomicUsize::new(0);
        entry!(numbers(&runs, &[1])).put([(1, 7)]).unwrap();
        assert_eq!(entry!(numbers(&runs, &[1, 2])).uncached().len(), 2);
        assert_eq!((cache.len(), runs.load(SeqCst)), (1, 1));
        let source = Source::open(3);
        let uncached = wait(entry!(loaded(&source, &[1])).uncached());
        assert_eq!(uncached.unwrap(), Values::from([(1, 3)]));
        assert_eq!(cache.len(), 1);
    });
}

#[test]
fn it_invalidates_all_of_them() {
    isolated(|_| {
        let runs = AtomicUsize::new(0);
        numbers(&runs, &[1, 2, 3]);
        entry!(numbers(&runs, &[1, 2])).invalidate().wait().unwrap();
        let left = entry!(numbers(&runs, &[1, 2, 3])).get();
        assert_eq!(left, Values::from([(3, 30)]));
    });
}

#[test]
fn it_works_for_methods() {
    isolated(|_| {
        let names = wait(entry!(Repo.names(vec![1, 2])).refresh());
        assert_eq!(names[&2], "2");
        assert!(wait(entry!(Repo.names(vec![1, 2])).contains()));
        let left = wait(entry!(Repo.names(vec![1])).ttl());
        assert_eq!(left, HashMap::from([(1, secs(300))]));
        assert_eq!(wait(entry!(Repo.names(vec![1, 3])).get()).len(), 1);
    });
}
