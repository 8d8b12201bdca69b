//! `refresh_ahead`: the first hit past a share of the timeout starts a refresh in the background.

mod common;

use std::sync::Arc;

use common::{End, Failed, Source, Task, secs, stepped};
use dewar::{cached, entry, invalidate};

#[cached(timeout = 100, refresh_ahead = 0.8, skip(source))]
async fn ahead(source: Arc<Source>) -> Result<u64, Failed> {
    source.load().await
}

fn call(source: &Arc<Source>) -> Result<u64, Failed> {
    Task::new(ahead(Arc::clone(source))).done()
}

#[test]
fn the_first_hit_past_the_share_starts_one_refresh() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        assert_eq!(call(&source), Ok(1));
        source.set(2);
        cache.advance(secs(79));
        assert_eq!((call(&source), background.len()), (Ok(1), 0));
        cache.advance(secs(1));
        for _ in 0..5 {
            assert_eq!((call(&source), background.len()), (Ok(1), 1));
        }
        background.step();
        assert_eq!(call(&source), Ok(2));
        cache.advance(secs(79));
        assert_eq!(
            (call(&source), background.len()),
            (Ok(2), 0),
            "its time starts anew"
        );
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.absent, stats.loads), (8, 1, 2));
    });
}

#[test]
fn without_a_hit_nothing_is_refreshed() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        assert_eq!(call(&source), Ok(1));
        cache.advance(secs(100));
        source.set(2);
        assert_eq!(
            (call(&source), background.len()),
            (Ok(2), 0),
            "expired: a plain miss"
        );
    });
}

#[test]
fn a_refresh_that_fails_leaves_the_value_until_its_time() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        assert_eq!(call(&source), Ok(1));
        source.end_all(End::Badly);
        cache.advance(secs(80));
        assert_eq!(call(&source), Ok(1));
        background.step();
        assert_eq!((call(&source), background.len()), (Ok(1), 0), "held back");
        assert_eq!(cache.stats().load_errors, 1);
        cache.advance(secs(1));
        assert_eq!((call(&source), background.len()), (Ok(1), 1), "tried again");
        background.step();
        cache.advance(secs(19));
        assert_eq!(call(&source), Err(Failed), "no longer than its timeout");
    });
}

#[test]
fn an_invalidation_ends_a_refresh_that_is_under_way() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        assert_eq!(call(&source), Ok(1));
        cache.advance(secs(80));
        source.close();
        assert_eq!(call(&source), Ok(1));
        background.step();
        source.set(2);
        invalidate!(ahead(_)).wait().unwrap();
        source.end(2, End::Well);
        background.step();
        source.end(3, End::Well);
        assert_eq!(call(&source), Ok(2));
        assert_eq!(source.begun(), 3);
    });
}

#[test]
fn a_value_past_the_share_is_still_contained() {
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        assert_eq!(call(&source), Ok(1));
        cache.advance(secs(90));
        futures::executor::block_on(async {
            assert_eq!(entry!(ahead(Arc::clone(&source))).get().await, Some(Ok(1)));
            assert_eq!(
                entry!(ahead(Arc::clone(&source))).ttl().await,
                Some(secs(10))
            );
        });
    });
}

#[test]
fn a_synchronous_refresh_runs_on_a_thread_of_its_own() {
    #[cached(timeout = 100, refresh_ahead = 0.8, skip(source))]
    fn blocking(source: Arc<Source>) -> Result<u64, Failed> {
        source.load_blocking()
    }
    let (cache, _) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        let call = || blocking(Arc::clone(&source));
        assert_eq!(call(), Ok(1));
        source.set(2);
        source.close();
        cache.advance(secs(80));
        assert_eq!((call(), call()), (Ok(1), Ok(1)), "nobody waits");
        source.await_begun(2);
        source.end(2, End::Well);
        while cache.stats().stores < 2 {
            std::thread::yield_now();
        }
        assert_eq!((call(), source.begun()), (Ok(2), 2));
    });
}

#[test]
fn a_borrowing_caller_refreshes_in_its_own_time_and_the_others_do_not_wait() {
    #[cached(timeout = 100, refresh_ahead = 0.8, skip(source))]
    async fn borrowing(source: &Source) -> Result<u64, Failed> {
        source.load().await
    }
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        let call = || {
            let source = Arc::clone(&source);
            Task::new(async move { borrowing(&source).await })
        };
        assert_eq!(call().done(), Ok(1));
        source.set(2);
        source.close();
        cache.advance(secs(80));
        let mut first = call().waiting();
        assert_eq!((call().done(), background.len()), (Ok(1), 0));
        source.end(2, End::Well);
        assert_eq!((first.done(), call().done()), (Ok(2), Ok(2)));
    });
}
