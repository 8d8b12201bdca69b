//! The low-level operations.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use dewar::testing::TestCache;
use dewar::{Expiry, invalidate};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_value_is_there_until_its_time_is_over() {
    let cache = TestCache::new();
    let c = cache.blocking();
    assert_eq!(c.get::<String>("k"), None);
    c.set("k", "v".to_string(), MINUTE).unwrap();
    assert_eq!(c.get::<String>("k").as_deref(), Some("v"));
    assert_eq!(c.ttl("k"), Some(MINUTE));
    cache.advance(MINUTE);
    assert_eq!((c.get::<String>("k"), c.ttl("k")), (None, None));
    c.set("k", 1u64, Expiry::Never).unwrap();
    c.set("d", 1u64, Expiry::Default).unwrap();
    assert_eq!(c.ttl("k"), Some(Duration::MAX));
    assert_eq!(c.ttl("d"), Some(Duration::from_secs(300)));
}

#[test]
fn a_stored_none_is_not_a_miss() {
    let cache = TestCache::new();
    let c = cache.blocking();
    c.set("k", None::<u64>, MINUTE).unwrap();
    assert_eq!(c.get::<Option<u64>>("k"), Some(None));
    assert!(c.contains("k"));
}

#[test]
fn a_value_of_another_type_is_a_miss_and_counted() {
    let cache = TestCache::new();
    let c = cache.blocking();
    c.set("k", 1u64, MINUTE).unwrap();
    assert_eq!(c.get::<String>("k"), None);
    assert_eq!(c.get_or("k", "other".to_string()), "other");
    assert_eq!(cache.stats().undecodable, 2);
}

#[test]
fn add_has_one_winner() {
    let cache = TestCache::new();
    let wins = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for n in 0..8u64 {
            let (cache, wins) = (&cache, &wins);
            scope.spawn(move || {
                if cache.blocking().add("k", n, MINUTE).unwrap() {
                    wins.fetch_add(1, SeqCst);
                }
            });
        }
    });
    assert_eq!(wins.load(SeqCst), 1);
    cache.advance(MINUTE);
    assert!(cache.blocking().add("k", 9u64, MINUTE).unwrap(), "what has expired is not there");
}

#[test]
fn counting_is_atomic_and_keeps_the_expiry() {
    let cache = TestCache::new();
    let c = cache.blocking();
    c.set("n", 0i64, MINUTE).unwrap();
    cache.advance(Duration::from_secs(10));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    c.increment("n", 2).unwrap();
                    c.decrement("n", 1).unwrap();
                }
            });
        }
    });
    assert_eq!(c.get::<i64>("n"), Some(2000));
    assert_eq!(c.ttl("n"), Some(Duration::from_secs(50)));
    assert_eq!(c.increment("new", 5).unwrap(), 5);
}

#[test]
fn what_cannot_be_counted_is_an_error_that_says_so() {
    let cache = TestCache::new();
    let c = cache.blocking();
    c.set("text", "x".to_string(), MINUTE).unwrap();
    c.set("full", i64::MAX, MINUTE).unwrap();
    let error = c.increment("text", 1).unwrap_err();
    assert!(error.is_value() && error.to_string().contains("`text`"), "{error}");
    assert!(c.increment("full", 1).unwrap_err().to_string().contains("overflow"));
    assert!(c.decrement("full", i64::MIN).unwrap_err().is_value());
    assert_eq!(c.get::<i64>("full"), Some(i64::MAX), "nothing is lost");
}

#[test]
fn touch_delete_and_many_at_once() {
    let cache = TestCache::new();
    let c = cache.blocking();
    let values = [("a", 1u64), ("b", 2), ("c", 3)].map(|(key, n)| (key.to_string(), n));
    c.set_many(values, MINUTE).unwrap();
    assert!(c.touch("a", Duration::from_secs(120)).unwrap());
    assert!(!c.touch("nothing", MINUTE).unwrap());
    cache.advance(MINUTE);
    let found: HashMap<String, u64> = c.get_many(&["a", "b", "c"]);
    assert_eq!(found, HashMap::from([("a".to_string(), 1)]));
    assert_eq!((c.delete("a").unwrap(), c.delete("a").unwrap()), (true, false));
    c.set("x", 1u64, MINUTE).unwrap();
    assert_eq!(c.delete_many(&["x", "y"]).unwrap(), 1);
}

#[test]
fn a_load_runs_once_and_an_error_is_not_stored() {
    let cache = TestCache::new();
    let c = cache.blocking();
    assert_eq!(c.get_or_load("k", MINUTE, || Err::<u64, _>("no")), Err("no"));
    assert_eq!(c.get_or_load("k", MINUTE, || Ok::<u64, &str>(1)), Ok(1));
    assert_eq!(c.get_or_load("k", MINUTE, || Ok::<u64, &str>(2)), Ok(1));
    let asked = std::cell::RefCell::new(Vec::new());
    let many = c.get_or_load_many("k l m".split(' ').collect::<Vec<_>>().as_slice(), MINUTE, |missing| {
        asked.borrow_mut().clone_from(&missing);
        Ok::<_, ()>(missing.into_iter().map(|key| (key, 7u64)).collect())
    });
    assert_eq!(many.unwrap().len(), 3);
    assert_eq!(*asked.borrow(), ["l", "m"]);
}

#[test]
fn a_write_during_a_load_is_not_overwritten_by_it() {
    let cache = TestCache::new();
    let c = cache.blocking();
    let loaded = c.get_or_load("k", MINUTE, || {
        c.set("k", 2u64, MINUTE).unwrap();
        Ok::<u64, ()>(1)
    });
    assert_eq!(loaded, Ok(1), "its own caller began before the write");
    assert_eq!(c.get::<u64>("k"), Some(2));
    let loaded = c.get_or_load("gone", MINUTE, || {
        c.set("gone", 2u64, MINUTE).unwrap();
        c.delete("gone").unwrap();
        Ok::<u64, ()>(1)
    });
    assert_eq!((loaded, c.get::<u64>("gone")), (Ok(1), None));
}

#[test]
fn prefixes_hold_for_keys_of_ones_own_and_clear_takes_all() {
    let cache = TestCache::new();
    let c = cache.blocking();
    for key in ["user:42", "user:42:posts", "user:420"] {
        c.set(key, 1u64, MINUTE).unwrap();
    }
    let id = 42;
    cache.run(|| invalidate!(prefix = "user:{id}").wait()).unwrap();
    assert_eq!(["user:42", "user:42:posts", "user:420"].map(|key| c.contains(key)), [false, false, true]);
    cache.clear().wait().unwrap();
    assert!(!c.contains("user:420"));
    cache.sweep();
    assert!(cache.is_empty());
}
