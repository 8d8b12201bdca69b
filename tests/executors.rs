//! The same functions on every executor: tokio of both kinds, smol, `futures::executor`.

mod common;

use std::sync::Arc;

use common::{End, Failed, Source};
use dewar::testing::TestCache;
use dewar::{BoxFuture, Cache, Runtime, cached, invalidate};

#[cached(skip(source), timeout = 60, stale_while_revalidate = 60)]
async fn item(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
    let _ = id;
    source.load().await
}

#[cached(skip(source))]
fn item_blocking(source: &Source, id: u64) -> Result<u64, Failed> {
    let _ = id;
    source.load_blocking()
}

/// What has to hold anywhere: a hundred callers on eight keys, woken by whoever loads.
async fn story<S, H>(cache: TestCache, spawn: S)
where
    S: Fn(BoxFuture<'static, Result<u64, Failed>>) -> H,
    H: Future<Output = Result<u64, Failed>>,
{
    let source = Source::shut(7);
    let call = |id: u64| {
        let call = cache.run_async(item(Arc::clone(&source), id % 8));
        spawn(Box::pin(call))
    };
    let calls: Vec<_> = (0..100).map(call).collect();
    let opener = spawn(Box::pin(open_when_all_wait(
        cache.clone(),
        Arc::clone(&source),
    )));
    for result in futures::future::join_all(calls).await {
        assert_eq!(result, Ok(7));
    }
    assert_eq!(opener.await, Ok(0));
    assert_eq!(source.begun(), 8);
    let (reads, hits) = (cache.stats().lookups(), cache.stats().hits);
    assert_eq!((reads, hits), (100, 0));
    cache
        .run_async(async { invalidate!(item).await.unwrap() })
        .await;
    assert_eq!(call(3).await, Ok(7));
    assert_eq!(source.begun(), 9);
}

async fn open_when_all_wait(cache: TestCache, source: Arc<Source>) -> Result<u64, Failed> {
    while cache.stats().coalesced < 92 {
        once_more().await;
    }
    source.end_all(End::Well);
    Ok(0)
}

/// Lets the others run.
async fn once_more() {
    let mut first = true;
    std::future::poll_fn(move |cx| {
        cx.waker().wake_by_ref();
        match std::mem::take(&mut first) {
            true => std::task::Poll::Pending,
            false => std::task::Poll::Ready(()),
        }
    })
    .await;
}

#[test]
fn futures_executor() {
    use futures::executor::LocalPool;
    use futures::task::SpawnExt;
    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    let spawn = move |call| spawner.spawn_with_handle(call).unwrap();
    pool.run_until(story(TestCache::new(), spawn));
}

#[test]
fn smol() {
    smol::block_on(story(TestCache::new(), smol::spawn));
}

#[test]
fn a_background_of_the_users_own() {
    struct Smol;
    impl Runtime for Smol {
        fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
            smol::spawn(task).detach();
            Ok(())
        }
    }
    let cache = TestCache::with(Cache::builder().runtime(Smol)).unwrap();
    smol::block_on(revalidate(cache));
}

/// A stale value at once, and the new one when the background has it.
async fn revalidate(cache: TestCache) {
    let source = Source::open(1);
    let call = || cache.run_async(item(Arc::clone(&source), 1));
    assert_eq!(call().await, Ok(1));
    source.set(2);
    source.close();
    cache.advance(common::secs(61));
    assert_eq!(call().await, Ok(1), "nobody waits");
    source.end(2, End::Well);
    while cache.stats().stores < 2 {
        once_more().await;
    }
    assert_eq!((call().await, source.begun()), (Ok(2), 2));
}

#[test]
fn sync_functions_and_blocking_operations_inside_any_executor() {
    let inside = |cache: TestCache| async move {
        cache.run(|| {
            let source = Source::open(1);
            assert_eq!(item_blocking(&source, 1), Ok(1));
            cache.blocking().set("k", 1, common::secs(1)).unwrap();
            assert_eq!(cache.blocking().get::<i32>("k"), Some(1));
        });
    };
    futures::executor::block_on(inside(TestCache::new()));
    smol::block_on(inside(TestCache::new()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(inside(TestCache::new()));
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(inside(TestCache::new()));
}

async fn joined(task: tokio::task::JoinHandle<Result<u64, Failed>>) -> Result<u64, Failed> {
    task.await.unwrap()
}

/// Started now, awaited later.
fn on_tokio(
    call: BoxFuture<'static, Result<u64, Failed>>,
) -> impl Future<Output = Result<u64, Failed>> {
    joined(tokio::spawn(call))
}

#[tokio::test]
async fn tokio_on_one_thread() {
    story(TestCache::new(), on_tokio).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tokio_on_several_threads() {
    story(TestCache::new(), on_tokio).await;
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn tokio_is_the_background_where_it_runs() {
    revalidate(TestCache::new()).await;
}

#[cfg(feature = "tokio")]
#[test]
fn outside_of_tokio_the_caller_refreshes() {
    let cache = TestCache::new();
    let source = Source::open(1);
    let call = || futures::executor::block_on(cache.run_async(item(Arc::clone(&source), 1)));
    assert_eq!(call(), Ok(1));
    source.set(2);
    cache.advance(common::secs(61));
    assert_eq!((call(), source.begun()), (Ok(2), 2));
}
