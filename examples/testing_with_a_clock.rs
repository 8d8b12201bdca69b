//! How code that caches is tested: a cache for each test, and a clock that the test moves.
//!
//! The functions below would stand under `#[test]`; here `main` calls them, so that you can see
//! them run.
//!
//! ```text
//! cargo run --example testing_with_a_clock
//! ```

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use dewar::testing::{TestCache, isolated, isolated_async};
use dewar::{Cache, Error, cached, entry, invalidate};

const DAY: Duration = Duration::from_secs(86_400);

static RUNS: AtomicUsize = AtomicUsize::new(0);

#[cached(timeout = "30d", key_prefix = "licence:{customer}")]
fn licence(customer: u64) -> String {
    RUNS.fetch_add(1, SeqCst);
    format!("licence of {customer}")
}

#[cached(timeout = "30d")]
async fn invoice(number: u64) -> Result<String, String> {
    if number == 0 {
        return Err("there is no invoice 0".into());
    }
    Ok(format!("invoice {number}"))
}

/// Thirty days pass in no time.
fn a_licence_lives_for_thirty_days() {
    isolated(|cache| {
        licence(1);
        cache.advance(DAY * 30 - Duration::from_nanos(1));
        assert!(entry!(licence(1)).contains());
        cache.advance(Duration::from_nanos(1));
        assert!(!entry!(licence(1)).contains());
    });
}

/// What other tests have cached is not seen here, and what is cached here they do not see.
fn tests_do_not_get_in_each_others_way() {
    isolated(|first| {
        licence(1);
        isolated(|second| {
            licence(1);
            assert_eq!((first.stats().loads, second.stats().loads), (1, 1));
        });
        licence(1);
        assert_eq!((first.stats().hits, first.stats().loads), (1, 1));
    });
    assert!(
        Cache::current().is_empty(),
        "the default cache was never used"
    );
}

/// What the cache did is a matter of counting.
fn a_prefix_reaches_one_customer() {
    isolated(|cache| {
        licence(1);
        licence(2);
        let customer = 1;
        invalidate!(prefix = "licence:{customer}").wait().unwrap();
        licence(1);
        licence(2);
        let stats = cache.stats();
        assert_eq!((stats.absent, stats.invalidated, stats.hits), (2, 1, 1));
    });
}

/// A value that no body ever made.
fn a_test_can_say_what_is_cached() {
    isolated(|cache| {
        entry!(licence(3)).put("a licence made up".into()).unwrap();
        assert_eq!(licence(3), "a licence made up");
        assert_eq!(cache.stats().loads, 0);
    });
}

/// The settings of the real cache, but for the clock.
fn limits_hold() -> Result<(), Error> {
    let cache = TestCache::with(Cache::builder().max_entries(10))?;
    cache.run(|| {
        for customer in 0..1_000 {
            licence(customer);
        }
        cache.sweep();
        assert!(cache.len() <= 10, "{} entries", cache.len());
    });
    Ok(())
}

/// The same for `async` code, on whatever executor the test runs on.
async fn an_error_is_not_cached() {
    isolated_async(|cache| async move {
        assert!(invoice(0).await.is_err());
        assert!(invoice(0).await.is_err());
        invoice(1).await.unwrap();
        invoice(1).await.unwrap();
        let stats = cache.stats();
        assert_eq!((stats.loads, stats.rejections, stats.hits), (3, 2, 1));
    })
    .await;
}

fn main() -> Result<(), Error> {
    a_licence_lives_for_thirty_days();
    println!("a licence lives for thirty days ........ ok");
    tests_do_not_get_in_each_others_way();
    println!("tests do not get in each other's way ... ok");
    a_prefix_reaches_one_customer();
    println!("a prefix reaches one customer .......... ok");
    a_test_can_say_what_is_cached();
    println!("a test can say what is cached .......... ok");
    limits_hold()?;
    println!("limits hold ............................ ok");
    futures::executor::block_on(an_error_is_not_cached());
    println!("an error is not cached ................. ok");
    println!(
        "\n{} bodies of `licence` ran, and nobody slept",
        RUNS.load(SeqCst)
    );
    Ok(())
}
