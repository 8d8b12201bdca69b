//! Settings: what is refused, with which words, and what may be done only once.

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
fn a_function_may_be_called_before_its_cache_is_configured_and_configuring_twice_is_refused() {
    assert_eq!((by_default(1), by_default(1)), (1, 1));
    let cache = Cache::builder().name("app").install().unwrap();
    by_default(2);
    assert_eq!(
        cache.len(),
        1,
        "from now on the configured cache holds what is loaded"
    );
    assert!(Cache::current().same(&cache));
    let error = Cache::builder().install().unwrap_err();
    assert!(error.is_already_configured());
    assert_eq!(
        error.to_string(),
        "the default cache is configured already: configure it once, at the start of the program"
    );
    assert!(Cache::current().same(&cache), "nothing was switched");
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
fn a_setting_that_cannot_be_meant_is_refused_with_what_can() {
    let refused = |builder: dewar::CacheBuilder| {
        let error = builder.build().unwrap_err();
        assert!(error.is_config());
        error.to_string()
    };
    assert_eq!(
        refused(Cache::builder().max_entries(0)),
        "`max_entries` is 0: give at least 1, or switch caching off with the store `null`"
    );
    assert_eq!(
        refused(Cache::builder().max_bytes(0)),
        "`max_bytes` is 0: give at least 1, or switch caching off with the store `null`"
    );
    assert!(refused(Cache::builder().max_entries(1).max_bytes(1)).contains("give one of them"));
    assert!(refused(Cache::builder().default_timeout(Duration::ZERO)).contains("never_expire()"));
    assert!(refused(Cache::builder().max_wait(Duration::ZERO)).contains("single_flight = false"));
    assert!(refused(Cache::builder().name("")).contains("`name` is empty"));
    assert!(refused(Cache::builder().remembered_invalidations(0)).contains("at least 1"));
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

#[cfg(feature = "config")]
mod from_a_file {
    use dewar::{CacheBuilder, CacheConfig};

    fn build(json: &str) -> Result<dewar::Cache, String> {
        let config: CacheConfig = serde_json::from_str(json).map_err(|e| e.to_string())?;
        CacheBuilder::try_from(config)
            .and_then(CacheBuilder::build)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn settings_are_read_and_flask_cachings_names_too() {
        let cache =
            build(r#"{"type": "SimpleCache", "name": "c", "default_timeout": 30}"#).unwrap();
        assert_eq!(cache.name(), "c");
        assert!(build(r#"{"CACHE_TYPE": "memory", "CACHE_THRESHOLD": 10}"#).is_ok());
        assert!(build(r#"{"default_timeout": "never", "max_bytes": 1000000}"#).is_ok());
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let error = build(r#"{"type": "memry"}"#).unwrap_err();
        assert!(
            error.contains("`type` is `memry`: accepted are `memory`"),
            "{error}"
        );
        let error = build(r#"{"max_entries": 0}"#).unwrap_err();
        assert!(error.contains("`max_entries` is 0"), "{error}");
        let error = build(r#"{"default_timeout": 0}"#).unwrap_err();
        assert!(error.contains("`default_timeout` is `0`"), "{error}");
        let error = build(r#"{"default_timeout": -1}"#).unwrap_err();
        assert!(error.contains("is `-1`"), "{error}");
        let error = build(r#"{"max_entires": 5}"#).unwrap_err();
        assert!(
            error.contains("max_entires") && error.contains("max_entries"),
            "{error}"
        );
    }
}
