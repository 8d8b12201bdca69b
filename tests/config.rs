//! Settings: from a builder, from `serde`, from the environment; and what is wrong with them.

use std::time::Duration;

use dewar::{Cache, CacheBuilder, Error};

fn refusal<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "accepted".into(),
        Err(error) => {
            assert!(error.is_config(), "{error:?}");
            error.to_string()
        }
    }
}

#[test]
fn a_setting_that_cannot_be_meant_is_named_with_its_value_and_what_is_accepted() {
    let build = |builder: CacheBuilder| refusal(builder.build());
    let new = Cache::builder;
    let off = "give at least 1, or switch caching off with the store `null`";
    assert_eq!(
        build(new().max_entries(0)),
        format!("`max_entries` is 0: {off}")
    );
    assert_eq!(
        build(new().max_bytes(0)),
        format!("`max_bytes` is 0: {off}")
    );
    let both = build(new().max_entries(1).max_bytes(1));
    assert_eq!(
        both,
        "`max_bytes` is given together with `max_entries`: give one of them"
    );
    #[cfg(feature = "tower")]
    {
        assert!(
            build(new().max_page_bytes(0)).starts_with("`max_page_bytes` is 0: give at least 1")
        );
        assert_eq!(
            build(new().max_bytes(10).max_page_bytes(11)),
            "`max_page_bytes` is 11, more than `max_bytes`, which is 10: give less, or none"
        );
    }
    assert!(build(new().default_timeout(Duration::ZERO)).contains("`default_timeout` is 0"));
    assert!(build(new().max_wait(Duration::ZERO)).contains("`max_wait` is 0"));
    assert!(build(new().remembered_invalidations(0)).contains("`remembered_invalidations` is 0"));
    assert!(build(new().name("")).contains("`name` is empty"));
    assert_eq!(build(new().default_timeout(Duration::MAX)), "accepted");
}

#[test]
fn the_default_cache_is_configured_once_and_functions_may_have_been_called_before() {
    #[dewar::cached]
    fn early(n: u64) -> u64 {
        n
    }
    assert_eq!((early(1), early(1)), (1, 1));
    let cache = Cache::builder().name("mine").install().unwrap();
    assert_eq!((early(1), early(1)), (1, 1));
    assert_eq!((cache.stats().loads, cache.stats().hits), (1, 1));
    let error = Cache::builder().install().unwrap_err();
    assert!(error.is_already_configured());
    assert_eq!(
        error.to_string(),
        "the default cache is configured already: configure it once, at the start of the program"
    );
    assert!(
        Cache::current().same(&cache),
        "and the second one did not replace it"
    );
}

#[test]
fn the_environment_that_is_not_set_is_the_default() {
    let cache = CacheBuilder::from_env().unwrap().build().unwrap();
    assert_eq!((cache.name(), cache.is_empty()), ("default", true));
}

#[cfg(feature = "config")]
mod from_serde {
    use super::*;
    use dewar::CacheConfig;
    use dewar::testing::TestCache;

    fn from_json(json: &str) -> Result<CacheBuilder, Error> {
        CacheBuilder::try_from(serde_json::from_str::<CacheConfig>(json).unwrap())
    }

    #[test]
    fn a_configuration_says_what_a_builder_says() {
        let json = r#"{"type": "memory", "name": "s", "default_timeout": 1.5, "max_entries": 2}"#;
        let cache = TestCache::with(from_json(json).unwrap()).unwrap();
        assert_eq!(cache.name(), "s");
        cache
            .blocking()
            .set("k", 1, dewar::Expiry::Default)
            .unwrap();
        assert_eq!(
            cache.blocking().ttl("k"),
            Some(Duration::from_millis(1_500))
        );
    }

    #[test]
    fn flask_cachings_names_are_understood() {
        let json = r#"{"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": "never", "CACHE_THRESHOLD": 5}"#;
        let cache = from_json(json).unwrap().build().unwrap();
        cache
            .blocking()
            .set("k", 1, dewar::Expiry::Default)
            .unwrap();
        assert_eq!(cache.blocking().ttl("k"), Some(Duration::MAX));
        let null = from_json(r#"{"type": "NullCache"}"#)
            .unwrap()
            .build()
            .unwrap();
        null.blocking().set("k", 1, dewar::Expiry::Default).unwrap();
        assert!(null.is_empty());
    }

    #[cfg(feature = "filesystem")]
    #[test]
    fn the_directory_keeps_to_its_bound_and_memory_to_no_copies() {
        let directory = std::env::temp_dir().join(format!("dewar-config-{}", std::process::id()));
        let config = serde_json::json!({
            "type": "filesystem",
            "dir": directory.to_str().unwrap(),
            // Each file is a block at least: so many there is room for.
            "dir_max_bytes": 40 * 4096,
            "memory_copies": 0,
            "store_budget": 30,
            "store_timeout": 10,
            "lease": 20,
            "max_wait": 5,
            "remembered_invalidations": 100,
        });
        let cache = from_json(&config.to_string()).unwrap().build().unwrap();
        for n in 0..50 {
            let value = "x".repeat(1000);
            let stored = cache
                .blocking()
                .set(&n.to_string(), value, dewar::Expiry::Default);
            stored.unwrap();
        }
        assert!(cache.is_empty());
        let known = |n: &u32| cache.blocking().contains(&n.to_string());
        let kept = || (0..50).filter(known).count();
        assert!((0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            (1..=40).contains(&kept())
        }));
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn the_bytes_of_pages_can_be_said_in_a_file() {
        for json in [
            r#"{"max_page_bytes": 0}"#,
            r#"{"CACHE_MAX_PAGE_BYTES": 2000, "max_bytes": 1000}"#,
        ] {
            let refused = from_json(json).and_then(CacheBuilder::build);
            assert!(
                refusal(refused).starts_with("`max_page_bytes` is "),
                "{json}"
            );
        }
        let built = from_json(r#"{"max_page_bytes": 1000}"#).map(CacheBuilder::build);
        assert_eq!(built.is_ok(), cfg!(feature = "tower"));
    }

    #[test]
    fn how_much_of_keys_is_told_can_be_said_in_a_file() {
        let told = |json| {
            let cache = from_json(json).unwrap().build().unwrap();
            cache.record_operations();
            let api = cache.blocking();
            api.set("session:hunter2", 1, dewar::Expiry::Default)
                .unwrap();
            cache.operations()[0]
                .event
                .key
                .as_deref()
                .map(str::to_owned)
        };
        assert_eq!(told(r#"{"event_keys": "hidden"}"#), None);
        let shown = told(r#"{"CACHE_EVENT_KEYS": "Shown"}"#).unwrap();
        assert!(shown.starts_with("session:hunter2:"), "{shown}");
        assert!(!told("{}").unwrap().contains("hunter2"));
        assert_eq!(
            refusal(from_json(r#"{"event_keys": "some"}"#)),
            "`event_keys` is `some`: accepted are `prefixes`, `shown`, `hashed`, `hidden`"
        );
    }

    #[test]
    fn what_cannot_be_meant_is_an_error() {
        assert!(refusal(from_json(r#"{"type": "memry"}"#)).contains("`memry`"));
        assert!(refusal(from_json(r#"{"default_timeout": 0}"#)).contains("for ever"));
        assert!(refusal(from_json(r#"{"default_timeout": "soon"}"#)).contains("`soon`"));
        assert!(refusal(from_json(r#"{"default_timeout": -1}"#)).contains("-1"));
        let none = from_json(r#"{"max_entries": 0}"#).and_then(CacheBuilder::build);
        assert!(refusal(none).contains("`max_entries` is 0"));
        let unknown = serde_json::from_str::<CacheConfig>(r#"{"max_entrys": 5}"#).unwrap_err();
        assert!(unknown.to_string().contains("max_entries"), "{unknown}");
    }
}

#[cfg(feature = "seal")]
#[test]
fn to_seal_with_no_keys_is_an_error() {
    use dewar::{SealKey, testing::FaultyStore};

    let keys = |n| (0..n).map(|n| SealKey::new([n; 32]));
    let shared = || Cache::builder().shared(FaultyStore::new());
    assert_eq!(
        refusal(shared().seal(keys(0)).build()),
        "`seal` has no keys, and nothing would be sealed: give one at least"
    );
    assert!(shared().seal(keys(0)).seal(keys(1)).build().is_ok());
}

#[cfg(all(feature = "config", feature = "redis"))]
#[test]
fn a_shared_store_is_described_in_a_file_and_its_secrets_are_not_shown() {
    let json = r#"{
        "type": "redis", "redis_url": "redis://:secret@cache:7/1", "key_prefix": "shop",
        "store_timeout": 0.25, "memory_copies": 2, "format": "json"
    }"#;
    let config: dewar::CacheConfig = serde_json::from_str(json).unwrap();
    assert!(!format!("{config:?}").contains("secret"));
    let cache = CacheBuilder::try_from(config).unwrap().build().unwrap();
    assert_eq!(cache.store_status().unwrap().store, "redis cache:7/1");
    let json = r#"{ "type": "redis", "redis_url": "redis://:secret@cache:port" }"#;
    let config: dewar::CacheConfig = serde_json::from_str(json).unwrap();
    let text = refusal(CacheBuilder::try_from(config));
    let start = "`redis_url` is `redis://…@cache:port`, whose hosts are not understood";
    assert!(text.starts_with(start), "{text}");
}
