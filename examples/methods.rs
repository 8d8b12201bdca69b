//! Methods, associated functions and traits: is `self` part of the key, or not?
//!
//! ```text
//! cargo run --example methods
//! ```

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use dewar::{cached, entry, invalidate, invalidates};

static RUNS: AtomicUsize = AtomicUsize::new(0);

fn runs() -> usize {
    RUNS.swap(0, SeqCst)
}

/// Holds what a connection pool would: nothing that a result depends on, but for the tenant.
struct Repository {
    tenant: u32,
    #[expect(dead_code, reason = "stands for a pool, which has no `Hash`")]
    pool: Vec<f64>,
}

impl Repository {
    fn of(tenant: u32) -> Self {
        Repository {
            tenant,
            pool: vec![0.5],
        }
    }

    // `self` is no part of the key. The tenant in the prefix is: what a prefix or a tag names
    // counts, skipped or not.
    #[cached(
        timeout = 60,
        skip(self),
        key_prefix = "tenant:{self.tenant}:user:{id}"
    )]
    fn user(&self, id: u64) -> String {
        RUNS.fetch_add(1, SeqCst);
        format!("user {id} of tenant {}", self.tenant)
    }

    #[invalidates(self.user(id))]
    fn rename(&self, id: u64) {
        println!("  renamed {id}");
    }

    // No `self` at all.
    #[cached(timeout = 60)]
    fn limits(plan: &str) -> usize {
        RUNS.fetch_add(1, SeqCst);
        plan.len() * 10
    }
}

/// A value: all of it is the key.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Polynomial(Vec<i64>);

impl Polynomial {
    #[cached(timeout = never)]
    fn at(&self, x: i64) -> i64 {
        RUNS.fetch_add(1, SeqCst);
        self.0.iter().rev().fold(0, |sum, factor| sum * x + factor)
    }
}

trait Exchange {
    fn rate(&self, currency: &str) -> f64;
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Bank(u8);

// A method of a trait's `impl` has no place for a companion: prefixes and tags name its entries.
impl Exchange for Bank {
    #[cached(timeout = 60, tags("rates", "rates:{currency}"))]
    fn rate(&self, currency: &str) -> f64 {
        RUNS.fetch_add(1, SeqCst);
        f64::from(self.0) + currency.len() as f64
    }
}

fn main() -> Result<(), dewar::Error> {
    let (one, same, other) = (Repository::of(1), Repository::of(1), Repository::of(2));
    assert_eq!(one.user(7), "user 7 of tenant 1");
    assert_eq!(same.user(7), "user 7 of tenant 1");
    assert_eq!(other.user(7), "user 7 of tenant 2");
    assert_eq!(runs(), 2, "one for each tenant");
    println!("skip(self): two repositories of one tenant share, two tenants do not");

    one.rename(7);
    assert!(entry!(same.user(7)).get().is_none());
    assert!(entry!(other.user(7)).contains());
    println!("#[invalidates(self.user(id))]: tenant 1 only");

    invalidate!(other.user(7)).wait()?;
    assert!(!entry!(other.user(7)).contains());
    println!("invalidate!(other.user(7)): by a method's call");
    runs();

    assert_eq!(
        (Repository::limits("gold"), Repository::limits("gold")),
        (40, 40)
    );
    assert_eq!(runs(), 1);
    invalidate!(Repository::limits("gold")).wait()?;
    Repository::limits("gold");
    assert_eq!(runs(), 1);
    println!("an associated function: invalidate!(Repository::limits(\"gold\"))");

    let (p, q) = (Polynomial(vec![1, 2, 3]), Polynomial(vec![1, 2]));
    assert_eq!((p.at(2), q.at(2), p.at(2)), (17, 5, 17));
    assert_eq!(runs(), 2, "equal values share, others do not");
    println!("`self` as part of the key: p(2) = 17, q(2) = 5");

    let (a, b) = (Bank(1), Bank(2));
    assert_eq!(
        (a.rate("EUR"), b.rate("EUR"), a.rate("EUR")),
        (4.0, 5.0, 4.0)
    );
    assert_eq!(runs(), 2);
    invalidate!(tag = "rates:EUR").wait()?;
    a.rate("EUR");
    assert_eq!(runs(), 1);
    println!("a trait's method: invalidate!(tag = \"rates:EUR\")");
    Ok(())
}
