//! Asynchronous functions on any executor, and `blocking()` inside and outside of a runtime.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dewar::testing::TestCache;
use dewar::{BoxFuture, Cache, Runtime, cached};

static LOADS: AtomicU64 = AtomicU64::new(0);

#[cached(timeout = 60)]
async fn slow(id: u64) -> u64 {
    futures::future::ready(()).await;
    // Gives the executor a chance to poll the others meanwhile.
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
    id
}

async fn sixteen_at_once() {
    let all = futures::future::join_all((0..16).map(|_| slow(7))).await;
    assert_eq!(all, [7; 16]);
}

#[test]
fn callers_share_a_load_on_futures_executor() {
    let cache = TestCache::new();
    futures::executor::block_on(cache.run_async(sixteen_at_once()));
    assert_eq!((cache.stats().loads, cache.stats().coalesced), (1, 15));
}

#[test]
fn callers_share_a_load_on_smol() {
    let cache = TestCache::new();
    let tasks: Vec<_> = (0..16).map(|_| smol::spawn(cache.run_async(slow(7)))).collect();
    smol::block_on(async {
        for task in tasks {
            assert_eq!(task.await, 7);
        }
    });
    assert_eq!(cache.stats().loads, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_share_a_load_on_tokio_with_several_threads() {
    let cache = TestCache::new();
    let tasks: Vec<_> = (0..16).map(|_| tokio::spawn(cache.run_async(slow(7)))).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 7);
    }
    assert_eq!(cache.stats().loads, 1);
}

#[tokio::test(flavor = "current_thread")]
async fn callers_share_a_load_on_tokio_with_one_thread() {
    let cache = TestCache::new();
    cache.run_async(sixteen_at_once()).await;
    assert_eq!(cache.stats().loads, 1);
}

#[tokio::test(flavor = "current_thread")]
async fn blocking_operations_work_inside_a_runtime_of_one_thread() {
    let cache = Cache::builder().build().unwrap();
    let blocking = cache.blocking();
    blocking.set("key", 1u64, Duration::from_secs(9)).unwrap();
    assert_eq!(blocking.get::<u64>("key"), Some(1));
    let loaded = blocking.get_or_load("other", Duration::from_secs(9), || Ok::<_, ()>(2u64));
    assert_eq!(loaded, Ok(2));
    assert_eq!(cache.get::<u64>("other").await, Some(2));
}

/// A runtime that keeps its tasks until it is told to run them.
#[derive(Clone, Default)]
struct Later(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl Runtime for Later {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        self.0.lock().unwrap().push(task);
        Ok(())
    }
}

#[cached(timeout = 60, stale_while_revalidate = 60)]
async fn counted(id: u64) -> u64 {
    id + LOADS.fetch_add(1, SeqCst)
}

#[test]
fn background_loads_run_on_the_configured_runtime() {
    let later = Later::default();
    let cache = TestCache::with(Cache::builder().runtime(later.clone())).unwrap();
    let call = || futures::executor::block_on(cache.run_async(counted(100)));
    assert_eq!(call(), 100);
    cache.advance(Duration::from_secs(60));
    assert_eq!((call(), call()), (100, 100), "served while the refresh waits for its turn");
    let tasks = std::mem::take(&mut *later.0.lock().unwrap());
    assert_eq!(tasks.len(), 1, "one refresh, however many ask");
    tasks.into_iter().for_each(futures::executor::block_on);
    assert_eq!(call(), 101);
}
