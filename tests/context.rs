//! The body runs in its caller's task: what is local to the task or the thread is the caller's.

mod common;

use std::cell::Cell;
use std::sync::Arc;

use common::{End, Failed, Source, Task, secs, stepped};
use dewar::cached;
use dewar::testing::isolated;

tokio::task_local! {
    static REQUEST: u64;
}

thread_local! {
    static SPAN: Cell<u64> = const { Cell::new(0) };
}

#[cached(skip(source), key_prefix = "local:{id}")]
async fn local(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
    let _ = id;
    let before = REQUEST.get();
    source.load().await?;
    assert_eq!(REQUEST.get(), before);
    Ok(before)
}

#[cached(skip(source))]
async fn borrowing(source: &Source, id: &str) -> Result<u64, Failed> {
    source.load().await.map(|_| REQUEST.get() + id.len() as u64)
}

#[test]
fn a_task_local_in_the_body_is_the_leaders() {
    isolated(|_| {
        let source = Source::shut(0);
        let request = |n| Task::new(REQUEST.scope(n, local(Arc::clone(&source), 1))).waiting();
        let (mut first, mut second) = (request(11), request(22));
        source.end(1, End::Well);
        assert_eq!(first.done(), Ok(11));
        assert_eq!(
            second.done(),
            Ok(11),
            "one load, and it was the first one's"
        );
    });
}

#[test]
fn a_task_local_in_a_borrowing_body_is_the_callers() {
    isolated(|_| {
        let source = Source::open(0);
        let call = async move { borrowing(&source, "ab").await };
        assert_eq!(Task::new(REQUEST.scope(5, call)).done(), Ok(7));
    });
}

#[test]
fn a_thread_local_in_the_body_is_the_callers() {
    #[cached]
    fn span() -> u64 {
        SPAN.get()
    }
    #[cached]
    async fn span_async(n: u64) -> u64 {
        SPAN.get() + n
    }
    isolated(|_| {
        SPAN.set(3);
        assert_eq!(span(), 3);
        assert_eq!(Task::new(span_async(1)).done(), 4);
    });
}

#[test]
fn the_thread_of_a_plain_body_is_the_callers() {
    #[cached]
    fn here(n: u64) -> Option<std::thread::ThreadId> {
        (n > 0).then(|| std::thread::current().id())
    }
    isolated(|_| assert_eq!(here(1), Some(std::thread::current().id())));
}

#[test]
fn a_load_in_the_background_uses_the_cache_of_its_caller() {
    #[cached(timeout = 60)]
    async fn inner(source: Key) -> Result<u64, Failed> {
        source.0.load().await
    }
    #[cached(timeout = 60, stale_while_revalidate = 60)]
    async fn outer(source: Key) -> Result<u64, Failed> {
        inner(source).await
    }
    let (cache, background) = stepped(|cache| cache);
    let key = Key(Source::open(1));
    cache.run(|| {
        assert_eq!(Task::new(outer(key.clone())).done(), Ok(1));
        cache.advance(secs(61));
        key.0.set(2);
        assert_eq!(Task::new(outer(key.clone())).done(), Ok(1));
    });
    background.step();
    cache.run(|| assert_eq!(Task::new(outer(key.clone())).done(), Ok(2)));
    let names: Vec<_> = cache.function_stats();
    assert_eq!(
        names.len(),
        2,
        "the inner function was called in the same cache"
    );
    assert!(names.iter().all(|(_, stats)| stats.loads == 2));
}

/// A source, known by its address.
#[derive(Clone)]
struct Key(Arc<Source>);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Key {}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).addr().hash(state);
    }
}
