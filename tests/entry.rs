//! `entry!`: a handle on one call's entry.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{End, Failed, Source, Task, secs};
use dewar::testing::isolated;
use dewar::{cached, entry};

#[cached(timeout = 60, key_prefix = "item:{id}", skip(source))]
fn item(source: &Source, id: u64) -> Result<Option<u64>, Failed> {
    let _ = id;
    source
        .load_blocking()
        .map(|value| (value > 0).then_some(value))
}

#[cached(timeout = 60, skip(source))]
async fn item_async(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
    let _ = id;
    source.load().await
}

#[test]
fn get_neither_loads_nor_counts() {
    isolated(|cache| {
        let source = Source::open(1);
        assert_eq!(entry!(item(&source, 1)).get(), None);
        assert_eq!(item(&source, 1), Ok(Some(1)));
        assert_eq!(entry!(item(&source, 1)).get(), Some(Ok(Some(1))));
        assert_eq!((source.begun(), cache.stats().lookups()), (1, 1));
        cache.advance(secs(60));
        assert_eq!(entry!(item(&source, 1)).get(), None, "expired");
    });
}

#[test]
fn put_is_as_if_the_function_had_returned_it() {
    isolated(|_| {
        let source = Source::open(1);
        entry!(item(&source, 1)).put(Ok(Some(9))).unwrap();
        assert_eq!(
            (item(&source, 1), item(&source, 2)),
            (Ok(Some(9)), Ok(Some(1)))
        );
        assert_eq!(entry!(item(&source, 1)).ttl(), Some(secs(60)));
        assert_eq!(source.begun(), 1);
    });
}

#[test]
fn what_would_not_be_stored_takes_the_old_value_out_when_it_is_put() {
    for value in [Ok(None), Err(Failed)] {
        isolated(|_| {
            let source = Source::open(1);
            assert_eq!(item(&source, 1), Ok(Some(1)));
            entry!(item(&source, 1)).put(value).unwrap();
            assert_eq!(entry!(item(&source, 1)).get(), None, "{value:?}");
        });
    }
}

#[test]
fn a_load_under_way_does_not_overwrite_what_was_put() {
    isolated(|_| {
        let source = Source::shut(1);
        let call = || Task::new(item_async(Arc::clone(&source), 1));
        let mut old = call().waiting();
        let put = entry!(item_async(Arc::clone(&source), 1));
        Task::new(async move { put.put(Ok(9)).await.unwrap() }).done();
        assert_eq!(call().done(), Ok(9), "nor is it waited for");
        source.end(1, End::Well);
        assert_eq!((old.done(), call().done()), (Ok(1), Ok(9)));
    });
}

#[test]
fn refresh_computes_and_stores() {
    isolated(|cache| {
        let source = Source::open(1);
        assert_eq!(item(&source, 1), Ok(Some(1)));
        source.set(2);
        assert_eq!(entry!(item(&source, 1)).refresh(), Ok(Some(2)));
        assert_eq!(item(&source, 1), Ok(Some(2)));
        assert_eq!((source.begun(), cache.stats().refreshed), (2, 1));
        source.end_all(End::Badly);
        assert_eq!(entry!(item(&source, 1)).refresh(), Err(Failed));
        assert_eq!(
            item(&source, 1),
            Ok(Some(2)),
            "a refresh that fails changes nothing"
        );
    });
}

#[test]
fn refresh_does_not_join_a_load_that_may_have_read_before() {
    isolated(|_| {
        let source = Source::shut(1);
        let call = || Task::new(item_async(Arc::clone(&source), 1));
        let mut old = call().waiting();
        source.set(2);
        source.end(2, End::Well);
        let fresh = entry!(item_async(Arc::clone(&source), 1)).refresh();
        assert_eq!(Task::new(fresh).done(), Ok(2));
        source.end(1, End::Well);
        assert_eq!((old.done(), call().done()), (Ok(1), Ok(2)));
    });
}

#[test]
fn who_waits_for_a_load_that_a_refresh_overtakes_is_given_its_result() {
    isolated(|_| {
        let source = Source::shut(1);
        let call = || Task::new(item_async(Arc::clone(&source), 1));
        let (mut old, mut joined) = (call().waiting(), call().waiting());
        source.set(2);
        source.end(2, End::Well);
        let fresh = entry!(item_async(Arc::clone(&source), 1)).refresh();
        assert_eq!(Task::new(fresh).done(), Ok(2));
        source.end(1, End::Well);
        assert_eq!((old.done(), joined.done()), (Ok(1), Ok(1)));
        assert_eq!(call().done(), Ok(2));
    });
}

#[test]
fn uncached_runs_the_body_past_the_cache() {
    isolated(|cache| {
        let source = Source::open(1);
        assert_eq!(entry!(item(&source, 1)).uncached(), Ok(Some(1)));
        assert_eq!(
            Task::new(entry!(item_async(source, 1)).uncached()).done(),
            Ok(1)
        );
        assert!(cache.is_empty());
        assert_eq!(cache.stats().lookups(), 0);
    });
}

#[test]
fn invalidate_key_contains_and_ttl() {
    isolated(|cache| {
        let source = Source::open(1);
        item(&source, 1).unwrap();
        cache.advance(secs(20));
        assert_eq!(entry!(item(&source, 1)).ttl(), Some(secs(40)));
        assert!(entry!(item(&source, 1)).contains());
        entry!(item(&source, 1)).invalidate().wait().unwrap();
        assert!(!entry!(item(&source, 1)).contains());
        assert_eq!(entry!(item(&source, 1)).ttl(), None);
        let key = entry!(item(&source, 1)).key();
        assert!(key.starts_with("item:1:"), "{key}");
        assert_eq!(key, entry!(item(&Source::open(3), 1)).key());
        assert_ne!(key, entry!(item(&source, 2)).key());
    });
}

#[test]
fn the_handle_of_an_async_function_does_the_same() {
    isolated(|_| {
        futures::executor::block_on(async {
            let source = Source::open(1);
            let handle = || entry!(item_async(Arc::clone(&source), 1));
            assert_eq!(
                (handle().get().await, handle().contains().await),
                (None, false)
            );
            handle().put(Ok(7)).await.unwrap();
            assert_eq!(handle().get().await, Some(Ok(7)));
            assert_eq!(handle().ttl().await, Some(Duration::from_secs(60)));
            assert_eq!(handle().refresh().await, Ok(1));
            handle().invalidate().await.unwrap();
            assert_eq!(handle().get().await, None);
        });
    });
}
