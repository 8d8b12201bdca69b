//! Several caches side by side, and which one is the current one.

mod common;

use std::sync::{Arc, LazyLock};

use common::{End, Failed, Source, Task, secs};
use dewar::testing::{TestCache, isolated, isolated_async};
use dewar::{Cache, cached, entry, invalidate};

static SESSIONS: LazyLock<Cache> =
    LazyLock::new(|| Cache::builder().name("scope sessions").build().unwrap());

#[cached(timeout = 60, key_prefix = "item:{id}")]
fn item(id: u64) -> u64 {
    id
}

#[cached(cache = SESSIONS, key_prefix = "session:{id}")]
fn session(id: u64) -> u64 {
    id
}

#[cached(cache = "scope by name")]
fn by_name(id: u64) -> u64 {
    id
}

#[cached(cache = "nobody registers this")]
fn nowhere(id: u64) -> u64 {
    id
}

#[cached(skip(source))]
async fn slow(source: Arc<Source>) -> Result<u64, Failed> {
    source.load().await
}

fn new() -> Cache {
    Cache::builder().build().unwrap()
}

#[test]
fn caches_side_by_side_have_their_own_entries_limits_and_statistics() {
    let (one, other) = (new(), Cache::builder().max_entries(1).build().unwrap());
    one.scope_blocking(|| (item(1), item(2)));
    other.scope_blocking(|| item(1));
    assert_eq!((one.len(), other.len()), (2, 1));
    one.clear().wait().unwrap();
    one.sweep();
    assert_eq!((one.len(), other.len()), (0, 1));
    assert_eq!((one.stats().loads, other.stats().loads), (2, 1));
    assert!(one.same(&one.clone()) && !one.same(&other));
}

#[test]
fn the_innermost_scope_holds() {
    let (outer, inner) = (new(), new());
    outer.scope_blocking(|| {
        item(1);
        inner.scope_blocking(|| item(1));
        assert!(Cache::current().same(&outer));
        item(1);
    });
    assert_eq!(
        (outer.stats().hits, outer.stats().loads, inner.stats().loads),
        (1, 1, 1)
    );
}

#[test]
fn a_scope_ends_with_a_panic() {
    let before = Cache::current();
    assert!(common::panics(|| new().scope_blocking(|| panic!("inside"))));
    assert!(Cache::current().same(&before));
}

#[test]
fn futures_polled_in_turn_keep_their_scopes_apart() {
    let (one, other) = (new(), new());
    let source = Source::shut(1);
    let mut first = Task::new(one.scope(slow(Arc::clone(&source)))).waiting();
    let mut second = Task::new(other.scope(slow(Arc::clone(&source)))).waiting();
    assert_eq!(source.begun(), 2);
    source.end_all(End::Well);
    assert_eq!((first.done(), second.done()), (Ok(1), Ok(1)));
    assert_eq!((one.len(), other.len()), (1, 1));
}

#[test]
fn a_function_that_names_its_cache_uses_it_in_any_scope() {
    let scope = new();
    scope.scope_blocking(|| {
        session(1);
        assert!(entry!(session(1)).contains());
        invalidate!(cache = SESSIONS, prefix = "session")
            .wait()
            .unwrap();
        assert!(!entry!(session(1)).contains());
        session(1);
        invalidate!(prefix = "session").wait().unwrap();
        assert!(
            entry!(session(1)).contains(),
            "prefixes are looked for in the current cache"
        );
        invalidate!(session(1)).wait().unwrap();
        assert!(
            !entry!(session(1)).contains(),
            "calls where their function keeps them"
        );
    });
    assert_eq!((scope.stats().loads, SESSIONS.stats().loads), (0, 2));
}

#[test]
fn a_test_cache_takes_every_function_in() {
    isolated(|cache| {
        let _ = (item(1), session(7), by_name(7), nowhere(7));
        assert_eq!((cache.stats().loads, cache.len()), (4, 4));
    });
}

#[test]
fn a_cache_can_be_registered_after_its_functions_were_called() {
    assert_eq!((by_name(1), by_name(1)), (1, 1), "until then they run");
    let cache = Cache::builder().name("scope by name").register().unwrap();
    assert_eq!((by_name(1), by_name(1)), (1, 1));
    assert_eq!((cache.stats().loads, cache.stats().hits), (1, 1));
    let again = Cache::builder()
        .name("scope by name")
        .register()
        .unwrap_err();
    assert!(again.is_already_configured(), "{again}");
    assert!(Cache::named("scope by name").unwrap().same(&cache));
}

#[test]
fn a_cache_that_is_never_registered_is_told_of_and_the_body_runs() {
    assert_eq!(nowhere(3), 3);
    let error = invalidate!(nowhere(3)).wait().unwrap_err();
    assert!(
        error.to_string().contains("nobody registers this"),
        "{error}"
    );
    assert!(entry!(nowhere(3)).put(4).is_err());
    let error = invalidate!(cache = "nobody registers this", all)
        .wait()
        .unwrap_err();
    assert!(error.is_unknown_cache(), "{error}");
    assert!(
        Cache::named("nobody registers this")
            .unwrap_err()
            .is_unknown_cache()
    );
}

#[test]
fn parallel_tests_do_not_see_each_other() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                isolated(|cache| {
                    (0..100).for_each(|id| {
                        item(id);
                    });
                    assert_eq!((cache.stats().loads, cache.len()), (100, 100));
                });
            });
        }
    });
}

#[test]
fn an_asynchronous_test_has_a_cache_of_its_own() {
    futures::executor::block_on(isolated_async(|cache| async move {
        item(1);
        cache.advance(secs(60));
        item(1);
        assert_eq!(cache.stats().loads, 2);
    }));
}

#[test]
fn a_null_store_switches_caching_off() {
    let builder = Cache::builder().store(dewar::StoreKind::Null);
    let cache = TestCache::with(builder).unwrap();
    cache.run(|| {
        assert_eq!((item(1), item(1)), (1, 1));
        assert_eq!(entry!(item(1)).get(), None);
        entry!(item(1)).put(5).unwrap();
        invalidate!(item(1), all).wait().unwrap();
        assert_eq!(entry!(item(1)).refresh(), 1);
        cache.blocking().set("k", 1, secs(1)).unwrap();
        assert_eq!(cache.blocking().get::<i32>("k"), None);
    });
    let loads = cache.stats();
    assert_eq!(
        (loads.hits, loads.bypassed, cache.len(), cache.sweep()),
        (0, 2, 0, 0)
    );
}

#[test]
fn an_invalidation_that_names_a_cache_is_one_of_the_test_cache() {
    isolated(|_| {
        assert_eq!((session(1), by_name(1)), (1, 1));
        invalidate!(cache = SESSIONS, prefix = "session:1")
            .wait()
            .unwrap();
        invalidate!(cache = "scope by name", by_name)
            .wait()
            .unwrap();
        assert!(!entry!(session(1)).contains() && !entry!(by_name(1)).contains());
    });
}

#[cached(timeout = 60, hard_timeout = "30s", key_prefix = "timed:{id}")]
fn timed(id: u64) -> Result<u64, dewar::TimedOut> {
    Ok(item(id))
}

#[test]
fn a_body_on_another_thread_is_in_the_scope_of_its_caller() {
    isolated(|cache| {
        assert_eq!(timed(77).unwrap(), 77);
        assert_eq!(cache.len(), 2, "the inner call went elsewhere");
        assert!(entry!(item(77)).contains());
    });
}
