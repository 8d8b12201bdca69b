//! Callers with a deadline shorter than the load: one load, and its value is stored.
#![cfg(feature = "tokio")]

mod common;

use std::sync::Arc;

use common::{End, Failed, Source, secs};
use dewar::{Cache, cached, testing::TestCache};

#[cached(skip(source))]
async fn slow(source: Arc<Source>) -> Result<u64, Failed> {
    source.load().await
}

#[tokio::test(start_paused = true)]
async fn eight_callers_with_short_deadlines_make_one_load() {
    let cache = TestCache::new();
    let source = Source::shut(7);
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..8 {
        let call = cache.run_async(slow(Arc::clone(&source)));
        calls.spawn(tokio::time::timeout(secs(1 + n), call));
    }
    while let Some(ended) = calls.join_next().await {
        assert!(ended.unwrap().is_err(), "the deadline comes first");
    }
    assert_eq!(source.begun(), 1);
    source.end(1, End::Well);
    let value = cache.run_async(slow(Arc::clone(&source))).await;
    assert_eq!((value, source.begun()), (Ok(7), 1), "its value is stored");
    assert_eq!((cache.stats().loads, cache.stats().stores), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn retries_with_a_deadline_come_to_an_end() {
    let cache = Cache::builder().build().unwrap();
    let source = Source::shut(7);
    let mut tries = 0;
    let value = loop {
        let call = cache.scope(slow(Arc::clone(&source)));
        if let Ok(value) = tokio::time::timeout(secs(1), call).await {
            break value;
        }
        tries += 1;
        if tries == 5 {
            source.end(1, End::Well);
        }
    };
    assert_eq!((value, tries, source.begun()), (Ok(7), 5, 1));
}

#[tokio::test]
async fn a_caller_that_is_aborted_leaves_its_load_to_the_runtime() {
    let cache = TestCache::new();
    let source = Source::shut(7);
    let call = tokio::spawn(cache.run_async(slow(Arc::clone(&source))));
    while source.begun() == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    source.end(1, End::Well);
    let value = cache.run_async(slow(Arc::clone(&source))).await;
    assert_eq!((value, source.begun()), (Ok(7), 1));
}
