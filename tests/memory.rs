//! Memory is bounded, and what is of no use leaves it without traffic.

mod common;

use std::collections::{HashMap, HashSet};

use common::secs;
use dewar::testing::TestCache;
use dewar::{Cache, cached, entry, invalidate};

#[cached(timeout = 60, key_prefix = "item:{id}")]
fn item(id: u64) -> u64 {
    id
}

#[cached(timeout = 60, stale_if_error = 600)]
fn kept_for_errors(id: u64) -> u64 {
    id
}

#[cached(timeout = 600, idle_timeout = 30)]
fn idle(id: u64) -> u64 {
    id
}

#[cached]
fn text(length: usize) -> String {
    "x".repeat(length)
}

#[derive(Clone)]
struct Blob(usize);

#[cached]
fn blob(id: u64, size: usize) -> Blob {
    let _ = id;
    Blob(size)
}

fn entries(n: u64) -> TestCache {
    TestCache::with(Cache::builder().max_entries(n)).unwrap()
}

fn bytes(n: u64) -> TestCache {
    let builder = Cache::builder().weigher(|blob: &Blob| blob.0);
    TestCache::with(builder.max_bytes(n)).unwrap()
}

#[test]
fn entries_are_bounded_by_their_number() {
    let cache = entries(100);
    cache.run(|| {
        for id in 0..5_000 {
            assert_eq!(item(id), id);
            assert!(cache.len() <= 100 + 600, "{} at {id}", cache.len());
        }
    });
    cache.sweep();
    assert!(cache.len() <= 100, "{} entries", cache.len());
    assert_eq!(cache.weight(), cache.len() as u64);
    assert_eq!(cache.stats().evictions, 5_000 - cache.len() as u64);
}

#[test]
fn entries_are_bounded_by_their_bytes() {
    let cache = bytes(1 << 20);
    cache.run(|| (0..200).for_each(|n| drop(text(50_000 + n))));
    cache.sweep();
    assert!(cache.weight() <= 1 << 20);
    assert!(
        (15..=20).contains(&cache.len()),
        "{} texts of 50 KB in a MiB",
        cache.len()
    );
}

#[test]
fn a_weigher_says_what_a_value_weighs() {
    let cache = bytes(1 << 20);
    cache.run(|| {
        (0..50).for_each(|id| {
            blob(id, 100_000);
        })
    });
    cache.sweep();
    assert!(
        cache.len() <= 10,
        "{} blobs of 100 KB in a MiB",
        cache.len()
    );
}

#[test]
fn a_value_larger_than_the_cache_is_returned_and_not_kept() {
    let cache = bytes(1_000);
    cache.run(|| assert_eq!(text(5_000).len(), 5_000));
    cache.sweep();
    assert_eq!(cache.len(), 0);
}

#[test]
fn what_is_read_often_stays_when_others_come_once() {
    let cache = entries(100);
    cache.run(|| {
        for round in 0..200 {
            (0..20).for_each(|id| {
                item(id);
            });
            (0..10).for_each(|n| {
                item(1_000 + round * 10 + n);
            });
        }
        cache.sweep();
        let kept = (0..20).filter(|id| entry!(item(*id)).contains()).count();
        assert!(kept >= 19, "{kept} of 20");
    });
}

#[test]
fn expired_entries_leave_when_they_are_swept() {
    let cache = entries(1_000);
    cache.run(|| {
        (0..10).for_each(|id| {
            item(id);
        });
        (0..10).for_each(|id| {
            kept_for_errors(id);
        });
        (0..10).for_each(|id| {
            idle(id);
        });
        cache.advance(secs(29));
        idle(0);
        assert_eq!(cache.sweep(), 0);
        cache.advance(secs(1));
        assert_eq!(
            (cache.sweep(), cache.len()),
            (9, 21),
            "nine were not read for 30 s"
        );
        cache.advance(secs(30));
        assert_eq!(
            (cache.sweep(), cache.len()),
            (11, 10),
            "what errors may need stays"
        );
        cache.advance(secs(600));
        assert_eq!((cache.sweep(), cache.len(), cache.weight()), (10, 0, 0));
    });
}

#[test]
fn invalidated_entries_leave_when_they_are_swept() {
    let cache = entries(10_000);
    cache.run(|| {
        (0..1_000).for_each(|id| {
            item(id);
        });
        let id = 7;
        invalidate!(prefix = "item:{id}").wait().unwrap();
        assert_eq!((cache.len(), cache.sweep(), cache.len()), (1_000, 1, 999));
        invalidate!(all).wait().unwrap();
        assert_eq!((cache.sweep(), cache.len(), cache.weight()), (999, 0, 0));
    });
}

#[test]
fn an_invalidated_entry_that_is_asked_for_leaves_at_once() {
    let cache = entries(10);
    cache.run(|| {
        item(1);
        invalidate!(item).wait().unwrap();
        assert_eq!(entry!(item(1)).get(), None);
        item(1);
        assert_eq!((cache.len(), cache.sweep()), (1, 0));
    });
}

#[test]
fn values_are_dropped_when_their_entry_is() {
    #[cached(skip(value))]
    fn shared(value: &std::sync::Arc<u64>) -> std::sync::Arc<u64> {
        value.clone()
    }
    let cache = entries(10);
    let value = std::sync::Arc::new(1);
    cache.run(|| drop(shared(&value)));
    assert_eq!(std::sync::Arc::strong_count(&value), 2);
    cache.clear().wait().unwrap();
    cache.sweep();
    drop(cache);
    assert_eq!(std::sync::Arc::strong_count(&value), 1);
}

#[test]
fn what_is_counted_and_what_is_there_agree_after_a_storm() {
    let cache = entries(50);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let cache = &cache;
            scope.spawn(move || cache.run(|| storm(cache, thread)));
        }
    });
    cache.sweep();
    assert_eq!(
        cache.weight(),
        cache.len() as u64,
        "moka and the index agree"
    );
    assert!(cache.len() <= 50);
    cache.clear().wait().unwrap();
    cache.sweep();
    assert_eq!((cache.weight(), cache.len()), (0, 0));
}

fn storm(cache: &TestCache, thread: u64) {
    for n in 0..5_000 {
        let id = (n * 7 + thread) % 120;
        match n % 50 {
            0 => drop(invalidate!(item(id))),
            1 => drop(invalidate!(prefix = "item:{id}")),
            2 => drop(entry!(item(id)).put(id)),
            3 => drop(cache.sweep()),
            _ => assert_eq!(item(id), id),
        }
    }
}

#[cached]
fn by_text(text: &str, more: &[String]) -> usize {
    text.len() + more.len()
}

#[test]
fn keys_weigh_what_they_hold() {
    let cache = bytes(1 << 20);
    cache.run(|| {
        for n in 0..500 {
            by_text(&format!("{n:05000}"), &[format!("{n:05000}")]);
        }
    });
    hundred_of_ten_kilobytes(&cache);
}

#[track_caller]
fn hundred_of_ten_kilobytes(cache: &TestCache) {
    cache.sweep();
    assert!(
        (90..=105).contains(&cache.len()),
        "{} keys of 10 KB in a MiB",
        cache.len()
    );
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Word(String);

#[cached]
fn by_word(word: &Word, more: Option<&Word>) -> usize {
    word.0.len() + more.map_or(0, |more| more.0.len())
}

#[cached]
fn by_set(words: &HashSet<Word>) -> usize {
    words.len()
}

#[cached]
fn by_map(words: HashMap<Word, Word>) -> usize {
    words.len()
}

#[test]
fn keys_of_types_of_ones_own_weigh_what_they_hold_in_sets_and_maps_too() {
    let word = |n: usize, length: usize| Word(format!("{n:0length$}"));
    let ways: [&dyn Fn(usize) -> usize; 3] = [
        &|n| by_word(&word(n, 5000), Some(&word(n, 5000))),
        &|n| by_set(&(0..10).map(|m| word(10 * n + m, 1000)).collect()),
        &|n| by_map([(word(n, 3000), word(n, 7000))].into()),
    ];
    for way in ways {
        let cache = bytes(1 << 20);
        cache.run(|| (0..500).map(way).for_each(drop));
        hundred_of_ten_kilobytes(&cache);
    }
}

#[cached]
fn by_numbers(words: &HashSet<[u64; 100]>) -> usize {
    words.len()
}

#[test]
fn the_elements_of_a_set_weigh_their_size() {
    let cache = bytes(1 << 20);
    cache.run(|| {
        for n in 0..500 {
            by_numbers(&(0..12).map(|m| [10 * n + m; 100]).collect());
        }
    });
    hundred_of_ten_kilobytes(&cache);
}
