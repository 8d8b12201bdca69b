//! What makes two calls the same: values, not texts; and what to leave out.
//!
//! ```text
//! cargo run --example keys
//! ```

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use dewar::{cached, entry};

static RUNS: AtomicUsize = AtomicUsize::new(0);

/// How often bodies have run since the last question.
fn runs() -> usize {
    RUNS.swap(0, SeqCst)
}

/// Stands for a connection: it has no `Hash`, and no call should depend on it.
struct Database;

#[derive(Clone)]
struct User {
    id: u64,
    org: u32,
    #[expect(dead_code, reason = "it is there to be left out of the key")]
    last_seen: f64,
}

#[cached]
fn join(first: &str, second: &str) -> String {
    RUNS.fetch_add(1, SeqCst);
    format!("{first}|{second}")
}

// No `Hash` on `f64` or `HashMap`: they are `Serialize`, and that is enough.
#[cached]
fn area(width: f64, options: HashMap<String, f64>) -> f64 {
    RUNS.fetch_add(1, SeqCst);
    width * options.values().sum::<f64>()
}

#[cached(skip(db))]
fn name(db: &Database, id: u64) -> String {
    let _ = db;
    RUNS.fetch_add(1, SeqCst);
    format!("user {id}")
}

// Only these two tell calls apart; `last_seen` does not.
#[cached(key = (user.id, user.org))]
fn rights(user: &User) -> Vec<String> {
    RUNS.fetch_add(1, SeqCst);
    vec![format!("org-{}:read", user.org)]
}

// The prefix is a name for humans and for `invalidate!`; the arguments still count.
#[cached(key_prefix = "page:{language}", version = 2)]
fn page(language: &str, number: u32) -> String {
    RUNS.fetch_add(1, SeqCst);
    format!("{language} {number}")
}

fn main() {
    println!("arguments are compared one by one, never as one text:");
    println!("  {} and {}", join("ab", "c"), join("a", "bc"));
    println!("  {} and {}", join("a|b", "c"), join("a", "b|c"));
    assert_eq!(runs(), 4, "four different calls");

    let (mut one, mut two) = (HashMap::new(), HashMap::new());
    for n in 0..20 {
        one.insert(format!("side {n}"), f64::from(n));
        two.insert(format!("side {}", 19 - n), f64::from(19 - n));
    }
    area(0.0, one);
    area(-0.0, two);
    assert_eq!(
        runs(),
        1,
        "the order of a map does not count, and -0.0 is 0.0"
    );
    println!("two equal maps, filled in different order: one entry");

    let (first, second) = (Database, Database);
    name(&first, 7);
    name(&second, 7);
    assert_eq!(runs(), 1, "the connection is skipped");
    println!("two connections, one user: one entry");

    let user = User {
        id: 1,
        org: 5,
        last_seen: 0.5,
    };
    rights(&user);
    rights(&User {
        last_seen: 9.75,
        ..user.clone()
    });
    rights(&User { org: 6, ..user });
    assert_eq!(runs(), 2, "id and org count");
    println!("`key = (user.id, user.org)`: the time of the visit is left out");

    page("en", 1);
    page("en", 2);
    page("en", 1);
    assert_eq!(runs(), 2);
    println!(
        "the key of a call, as statistics show it: {}",
        entry!(page("en", 1)).key()
    );
    assert!(entry!(page("en", 1)).key().starts_with("page:en:"));

    // What a caller sends cannot reach into another level of a prefix.
    let sly = entry!(page("en:admin", 1)).key();
    println!("a value with a colon in it stays one level:  {sly}");
    assert!(sly.starts_with("page:en%3Aadmin:"));
}
