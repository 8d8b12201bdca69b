//! What users bring along, weighers, `Drop`, `Eq`, may panic or call back: it concerns that value alone.

use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use dewar::testing::TestCache;
use dewar::{Cache, cached, entry};

fn entries(n: u64) -> TestCache {
    TestCache::with(Cache::builder().max_entries(n)).unwrap()
}

/// How many of the calls panicked.
fn panics(calls: impl Iterator<Item = u64>, call: impl Fn(u64)) -> usize {
    let panicked = |n: &u64| catch_unwind(AssertUnwindSafe(|| call(*n))).is_err();
    calls.filter(panicked).count()
}

fn assert_bounded(cache: &TestCache, most: u64) {
    cache.sweep();
    assert!(cache.len() as u64 <= most, "{} entries", cache.len());
    assert_eq!(cache.len() as u64, cache.weight(), "index and moka differ");
}

static BOMB: AtomicBool = AtomicBool::new(false);

struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(!BOMB.swap(false, Ordering::SeqCst), "dropped");
    }
}

#[cached]
fn fragile(n: u64) -> Arc<Fragile> {
    let _ = n;
    Arc::new(Fragile)
}

#[test]
fn a_value_that_panics_when_dropped_hurts_nobody_else() {
    let cache = entries(100);
    cache.run(|| {
        let calls = (0..3_000).inspect(|n| BOMB.store(n % 50 == 0, Ordering::SeqCst));
        assert_eq!(panics(calls, |n| drop(fragile(n))), 0);
        BOMB.store(false, Ordering::SeqCst);
    });
    assert_bounded(&cache, 100);
}

#[derive(Clone)]
struct Odd(u64);

#[cached]
fn odd(n: u64) -> Odd {
    Odd(n)
}

#[test]
fn a_value_whose_weigher_panics_is_returned_and_not_stored() {
    let weigher = |odd: &Odd| match odd.0 % 2 {
        0 => 8,
        _ => panic!("cannot be weighed"),
    };
    let builder = Cache::builder().max_bytes(100_000).weigher(weigher);
    let cache = TestCache::with(builder).unwrap();
    cache.run(|| {
        assert_eq!(panics(0..20_000, |n| assert_eq!(odd(n).0, n)), 0);
    });
    cache.sweep();
    assert!(cache.len() < 2_000, "{} entries", cache.len());
    assert!(cache.weight() <= 100_000);
}

/// Weighs even numbers; at an odd one it panics.
fn even(number: &i64) -> usize {
    assert!(number % 2 == 0, "cannot be weighed");
    8
}

#[test]
fn a_value_whose_weigher_panics_takes_out_what_it_was_to_replace() {
    let cache = TestCache::with(Cache::builder().max_bytes(100_000).weigher(even)).unwrap();
    let (api, minute) = (cache.blocking(), Duration::from_secs(60));
    api.set("k", 2_i64, minute).unwrap();
    api.set("other", 4_i64, minute).unwrap();
    api.set("k", 3_i64, minute).unwrap();
    assert_eq!(api.get::<i64>("k"), None, "neither the old nor the new");
    assert_eq!(api.get::<i64>("other"), Some(4));
    assert!(!api.add("k", 5_i64, minute).unwrap(), "not stored");
    assert!(api.add("k", 6_i64, minute).unwrap());
    let error = api.increment("k", 1).unwrap_err();
    assert!(error.is_value(), "{error}");
    assert!(error.to_string().contains("weigher"), "{error}");
    assert_eq!(api.increment("other", 2).unwrap(), 6);
}

#[cached(timeout = 60)]
fn weighed(value: i64) -> i64 {
    value
}

#[test]
fn a_value_put_in_by_hand_whose_weigher_panics_takes_the_old_one_out() {
    let cache = TestCache::with(Cache::builder().max_bytes(100_000).weigher(even)).unwrap();
    cache.run(|| {
        assert_eq!((weighed(2), cache.len()), (2, 1));
        entry!(weighed(2)).put(7).unwrap();
        assert_eq!((cache.len(), entry!(weighed(2)).get()), (0, None));
        assert_eq!((weighed(2), cache.len()), (2, 1));
    });
}

static UNEQUAL: AtomicBool = AtomicBool::new(false);

#[derive(Clone, Eq)]
struct Moody(u64);

impl Hash for Moody {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialEq for Moody {
    fn eq(&self, other: &Moody) -> bool {
        assert!(!UNEQUAL.swap(false, Ordering::SeqCst), "compared");
        self.0 == other.0
    }
}

#[cached]
fn moody(key: Moody) -> u64 {
    key.0
}

#[test]
fn a_key_that_panics_when_compared_leaves_memory_bounded() {
    let cache = entries(100);
    cache.run(|| {
        let calls = (0..20_000).inspect(|n| UNEQUAL.store(n % 97 == 0, Ordering::SeqCst));
        panics(calls, |n| {
            moody(Moody(n));
        });
        UNEQUAL.store(false, Ordering::SeqCst);
        (20_000..30_000).for_each(|n| assert_eq!(moody(Moody(n)), n));
    });
    assert_bounded(&cache, 100);
}

/// All have the same hash.
#[derive(Clone, PartialEq, Eq)]
struct Alike(u64);

impl Hash for Alike {
    fn hash<H: Hasher>(&self, state: &mut H) {
        0_u8.hash(state);
    }
}

#[cached]
fn alike(key: Alike) -> u64 {
    key.0
}

#[test]
fn keys_that_all_have_the_same_hash_are_told_apart_and_swept() {
    let cache = entries(1_000);
    cache.run(|| {
        for n in 0..500 {
            assert_eq!((alike(Alike(n)), alike(Alike(n))), (n, n));
        }
        assert_eq!(cache.stats().hits, 500, "the newest are kept");
        assert_bounded(&cache, 16);
        cache.clear().wait().unwrap();
        cache.sweep();
        assert_eq!(cache.len(), 0);
    });
}

static DROPS: AtomicUsize = AtomicUsize::new(0);

#[cached]
fn called_back(n: usize) -> usize {
    n
}

/// A key and a value that call a cached function when they end.
#[derive(Clone, Hash, PartialEq, Eq)]
struct Caller(u64);

impl Drop for Caller {
    fn drop(&mut self) {
        let n = DROPS.fetch_add(1, Ordering::SeqCst);
        if n < 20_000 {
            assert_eq!(called_back(n), n);
        }
    }
}

#[cached]
fn calling(key: &Caller) -> Arc<Caller> {
    Arc::new(key.clone())
}

#[test]
fn a_drop_may_call_a_cached_function() {
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        let cache = entries(50);
        cache.run(|| (0..3_000).for_each(|n| drop(calling(&Caller(n)))));
        cache.sweep();
        done.send(cache.len())
    });
    let entries = finished.recv_timeout(Duration::from_secs(60));
    assert!(entries.expect("it hangs") <= 50);
    assert!(DROPS.load(Ordering::SeqCst) > 3_000);
}
