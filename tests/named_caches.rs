//! Caches by name, and the store that is none.

use std::time::Duration;

use dewar::{Cache, StoreKind, cached, entry, invalidate};

#[cached(timeout = 60)]
fn by_default(n: u64) -> u64 {
    n
}

#[cached(timeout = 60, cache = "sessions")]
fn in_sessions(n: u64) -> u64 {
    n
}

#[cached(timeout = 60, cache = "nowhere")]
fn in_nowhere(n: u64) -> u64 {
    n
}

#[test]
fn a_named_cache_is_registered_once_and_found_by_its_name() {
    assert_eq!(
        (in_sessions(1), in_sessions(1)),
        (1, 1),
        "unregistered: runs uncached"
    );
    let sessions = Cache::builder().name("sessions").register().unwrap();
    in_sessions(1);
    in_sessions(1);
    assert_eq!((sessions.stats().loads, sessions.stats().hits), (1, 1));
    let error = Cache::builder().name("sessions").register().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the cache `sessions` is configured already: configure it once, at the start of the program"
    );
    invalidate!(cache = "sessions", all).wait().unwrap();
    in_sessions(1);
    assert_eq!(sessions.stats().loads, 2);
}

#[test]
fn an_unknown_cache_is_named_with_those_there_are() {
    let known = |error: dewar::Error| {
        assert!(error.is_unknown_cache(), "{error}");
        assert!(
            error
                .to_string()
                .starts_with("no cache is named `nowhere`: "),
            "{error}"
        );
    };
    known(Cache::named("nowhere").unwrap_err());
    known(
        invalidate!(cache = "nowhere", tag = "t")
            .wait()
            .unwrap_err(),
    );
    known(invalidate!(in_nowhere).wait().unwrap_err());
    known(invalidate!(in_nowhere(1)).wait().unwrap_err());
    known(entry!(in_nowhere(1)).put(2).unwrap_err());
    assert_eq!(in_nowhere(1), 1, "the function runs all the same");
}

#[test]
fn the_null_store_switches_caching_off() {
    let cache = Cache::builder().store(StoreKind::Null).build().unwrap();
    cache.scope_blocking(|| (by_default(1), by_default(1)));
    assert_eq!(
        (cache.len(), cache.stats().hits, cache.stats().bypassed),
        (0, 0, 2)
    );
    cache
        .blocking()
        .set("key", 1u64, Duration::from_secs(1))
        .unwrap();
    assert_eq!(cache.blocking().get::<u64>("key"), None);
    assert_eq!(cache.blocking().increment("counter", 1).unwrap(), 1);
}
