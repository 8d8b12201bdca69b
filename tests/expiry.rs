//! How long a value lives.

mod common;

use std::time::Duration;

use common::{millis, secs};
use dewar::testing::{TestCache, isolated};
use dewar::{Cache, cached, entry};

const HALF_A_MINUTE: Duration = Duration::from_secs(30);

#[cached]
fn default() -> u64 {
    1
}

#[cached(timeout = 60)]
fn seconds() -> u64 {
    1
}

#[cached(timeout = "1m 30s")]
fn text() -> u64 {
    1
}

#[cached(timeout = HALF_A_MINUTE)]
fn expression() -> u64 {
    1
}

#[cached(timeout = never)]
fn never_expires() -> u64 {
    1
}

#[cached(timeout = |value: &u64| Duration::from_secs(*value))]
fn of_the_value(seconds: u64) -> u64 {
    seconds
}

#[cached(timeout = |value: &(Option<u64>,)| value.0.map(Duration::from_secs))]
fn perhaps_never(seconds: Option<u64>) -> (Option<u64>,) {
    (seconds,)
}

#[cached(timeout = 60, idle_timeout = 10)]
fn sliding() -> u64 {
    1
}

#[cached(timeout = 100, jitter = "10%")]
fn spread(id: u64) -> u64 {
    id
}

/// Whether a call is a hit.
fn is_hit<T>(cache: &TestCache, call: impl FnOnce() -> T) -> bool {
    let before = cache.stats().loads;
    call();
    cache.stats().loads == before
}

/// The value lives to just before this age.
fn lives<T>(call: impl Fn() -> T, age: Duration) {
    isolated(|cache| {
        call();
        cache.advance(age - Duration::from_nanos(1));
        assert!(is_hit(cache, &call), "gone before {age:?}");
        cache.advance(Duration::from_nanos(1));
        assert!(!is_hit(cache, &call), "there after {age:?}");
    });
}

#[test]
fn each_form_of_a_timeout_means_what_it_says() {
    lives(seconds, secs(60));
    lives(text, secs(90));
    lives(expression, secs(30));
    lives(|| of_the_value(7), secs(7));
    lives(|| of_the_value(70), secs(70));
}

#[test]
fn the_caches_default_holds_where_nothing_is_said() {
    lives(default, secs(300));
    let cache = TestCache::with(Cache::builder().default_timeout(secs(5))).unwrap();
    cache.run(|| {
        default();
        cache.advance(secs(5));
        assert!(!is_hit(&cache, default));
        seconds();
        cache.advance(secs(5));
        assert!(is_hit(&cache, seconds));
    });
}

#[test]
fn never_is_for_ever() {
    isolated(|cache| {
        never_expires();
        cache.advance(secs(1_000_000_000));
        assert!(is_hit(cache, never_expires));
        assert_eq!(entry!(never_expires()).ttl(), Some(Duration::MAX));
    });
    let cache = TestCache::with(Cache::builder().never_expire()).unwrap();
    cache.run(|| {
        default();
        cache.advance(secs(1_000_000_000));
        assert!(is_hit(&cache, default));
        perhaps_never(None);
        assert_eq!(entry!(perhaps_never(None)).ttl(), Some(Duration::MAX));
    });
    lives(|| perhaps_never(Some(3)), secs(3));
}

#[test]
fn a_value_that_says_zero_is_not_stored() {
    isolated(|cache| {
        assert_eq!((of_the_value(0), of_the_value(0)), (0, 0));
        assert_eq!((cache.stats().loads, cache.stats().stores), (2, 0));
    });
}

#[test]
fn a_sliding_timeout_starts_anew_with_each_read() {
    isolated(|cache| {
        sliding();
        for _ in 0..5 {
            cache.advance(millis(9_999));
            assert!(is_hit(cache, sliding));
        }
        cache.advance(secs(10));
        assert!(!is_hit(cache, sliding), "not read for ten seconds");
        for _ in 0..6 {
            cache.advance(secs(9));
            sliding();
        }
        cache.advance(secs(6));
        assert!(!is_hit(cache, sliding), "the timeout holds all the same");
    });
}

#[test]
fn a_read_by_hand_starts_a_sliding_timeout_anew_and_a_question_does_not() {
    isolated(|cache| {
        sliding();
        for _ in 0..3 {
            cache.advance(secs(9));
            assert_eq!(entry!(sliding()).get(), Some(1));
        }
        cache.advance(secs(9));
        assert!(entry!(sliding()).contains());
        assert_eq!(entry!(sliding()).ttl(), Some(secs(1)));
        cache.advance(secs(1));
        assert_eq!(entry!(sliding()).get(), None, "to ask is not to read");
    });
}

#[test]
fn jitter_spreads_expiry_and_never_lengthens_it() {
    isolated(|cache| {
        (0..1_000).for_each(|id| {
            spread(id);
        });
        cache.advance(secs(90));
        let alive = || {
            (0..1_000)
                .filter(|id| entry!(spread(*id)).contains())
                .count()
        };
        assert!(alive() > 990);
        cache.advance(secs(5));
        assert!((400..600).contains(&alive()), "{}", alive());
        cache.advance(secs(5));
        assert_eq!(alive(), 0);
    });
}

#[test]
fn a_hit_does_not_prolong_a_plain_timeout() {
    isolated(|cache| {
        seconds();
        cache.advance(secs(59));
        assert!(is_hit(cache, seconds));
        assert_eq!(entry!(seconds()).ttl(), Some(secs(1)));
        cache.advance(secs(1));
        assert_eq!(entry!(seconds()).ttl(), None);
    });
}

#[test]
fn the_time_left_is_that_of_the_idle_timeout_where_it_is_shorter() {
    isolated(|cache| {
        sliding();
        cache.advance(secs(4));
        assert_eq!(entry!(sliding()).ttl(), Some(secs(6)));
        sliding();
        assert_eq!(entry!(sliding()).ttl(), Some(secs(10)));
        for _ in 0..8 {
            cache.advance(secs(6));
            sliding();
        }
        assert_eq!(
            entry!(sliding()).ttl(),
            Some(secs(8)),
            "the timeout is near"
        );
    });
}
