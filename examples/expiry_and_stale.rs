//! Timeouts, sliding timeouts, and what to serve while a value is refreshed or cannot be.
//!
//! A clock moved by hand stands for the time that would pass: nothing here sleeps.
//!
//! ```text
//! cargo run --example expiry_and_stale
//! ```

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use dewar::testing::{TestCache, isolated};
use dewar::{cached, invalidate};

static VERSION: AtomicU64 = AtomicU64::new(0);
static DOWN: AtomicBool = AtomicBool::new(false);

/// Every run of a body gives the next number.
fn next() -> u64 {
    VERSION.fetch_add(1, SeqCst) + 1
}

#[cached(timeout = "1m")]
fn plain() -> u64 {
    next()
}

// Dies ten minutes after it was last read, and after an hour at the latest.
#[cached(timeout = "1h", idle_timeout = "10m")]
fn session(id: u64) -> u64 {
    let _ = id;
    next()
}

// The value says how long it is good for: 10 seconds for each of its number.
#[cached(timeout = |number: &u64| Duration::from_secs(number * 10))]
fn by_value() -> u64 {
    next()
}

// Past its minute a value is served for 30 seconds more, while one load refreshes it.
#[cached(timeout = "1m", stale_while_revalidate = "30s")]
fn revalidated() -> u64 {
    next()
}

// If the load fails, the last good value is served for an hour; the next load is tried after 5 s.
#[cached(timeout = "1m", stale_if_error("1h", retry = "5s"))]
fn rate() -> Result<u64, String> {
    if DOWN.load(SeqCst) {
        return Err("the bank does not answer".into());
    }
    Ok(next())
}

fn main() {
    isolated(|cache| {
        let minutes = |n: u64| cache.advance(Duration::from_secs(n * 60));
        let seconds = |n: u64| cache.advance(Duration::from_secs(n));

        println!("timeout = \"1m\"");
        let first = plain();
        seconds(59);
        assert_eq!(plain(), first, "59 s: still there");
        seconds(1);
        assert_eq!(plain(), first + 1, "60 s: computed afresh");
        println!("  0 s: {first}   59 s: {first}   60 s: {}", first + 1);

        println!("idle_timeout = \"10m\" within timeout = \"1h\"");
        let first = session(1);
        for _ in 0..6 {
            minutes(9);
            assert_eq!(session(1), first, "each read gives it ten minutes more");
        }
        minutes(9);
        assert!(session(1) > first, "but not past the hour");
        println!("  read every 9 minutes it lived for 54 minutes, and not for 63");

        println!("timeout = |number| …");
        VERSION.store(2, SeqCst);
        assert_eq!(by_value(), 3);
        seconds(29);
        assert_eq!(by_value(), 3);
        seconds(1);
        assert_eq!(by_value(), 4);
        println!("  the value 3 lived for 30 s");

        stale_while_revalidate(cache);
        stale_if_error(cache);
        println!("\n{}", cache.stats());
    });
}

fn stale_while_revalidate(cache: &TestCache) {
    println!("stale_while_revalidate = \"30s\" after timeout = \"1m\"");
    let old = revalidated();
    cache.advance(Duration::from_secs(70));
    // The load runs on a thread of its own; this caller does not wait for it.
    assert_eq!(revalidated(), old, "served at once");
    while revalidated() == old {
        std::thread::yield_now();
    }
    println!(
        "  70 s: {old} at once, then {} when the load was done",
        revalidated()
    );
    cache.advance(Duration::from_secs(91));
    assert!(
        revalidated() > old + 1,
        "past 90 s callers wait for the load"
    );

    let soft = revalidated();
    invalidate!(soft, revalidated).wait().unwrap();
    assert_eq!(
        revalidated(),
        soft,
        "a soft invalidation expires: stale is served once more"
    );
    while revalidated() == soft {
        std::thread::yield_now();
    }
}

fn stale_if_error(cache: &TestCache) {
    println!("stale_if_error(\"1h\", retry = \"5s\")");
    let good = rate().unwrap();
    DOWN.store(true, SeqCst);
    cache.advance(Duration::from_secs(61));
    let before = cache.stats();
    assert_eq!(rate(), Ok(good), "the load failed: the last good value");
    assert_eq!(rate(), Ok(good), "and no other load is tried for 5 s");
    let loads = cache.stats().loads - before.loads;
    println!("  down: {good} twice, by {loads} load");
    assert_eq!(loads, 1);

    DOWN.store(false, SeqCst);
    cache.advance(Duration::from_secs(5));
    let better = rate().unwrap();
    assert!(better > good);
    println!("  up again, 5 s later: {better}");

    DOWN.store(true, SeqCst);
    cache.advance(Duration::from_secs(60 + 3600));
    assert!(
        rate().is_err(),
        "an hour past its minute, the error is the caller's"
    );
    println!("  down for over an hour: {:?}", rate());
}
