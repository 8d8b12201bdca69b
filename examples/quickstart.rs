//! A slow query over a real SQLite database, cached, and invalidated where the data changes.
//!
//! ```text
//! cargo run --example quickstart
//! ```

use std::error::Error;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use dewar::{Cache, cached, invalidates};
use rusqlite::{Connection, params};

/// A database in memory with 1,000 products in ten categories.
struct Shop {
    db: Mutex<Connection>,
}

const CATEGORIES: [&str; 10] = [
    "books", "games", "garden", "kitchen", "lamps", "music", "paper", "shoes", "tools", "toys",
];

#[derive(Clone, Debug, PartialEq)]
struct Offer {
    id: u32,
    name: String,
    cents: i64,
    /// How many pairs of products can be had for less than this one.
    pairs: u32,
}

// The line that matters. `shop` is a connection and no part of the key; `category` is. The prefix
// gives the entries of one category a name, and `Err` is never stored.
#[cached(timeout = 60, key_prefix = "category:{category}:offers", skip(shop))]
fn offers(shop: &Shop, category: &str) -> rusqlite::Result<Vec<Offer>> {
    let db = shop.db.lock().unwrap();
    let mut query = db.prepare(
        "SELECT p.id, p.name, p.cents,
                (SELECT COUNT(*) FROM products a JOIN products b ON b.id > a.id
                 WHERE a.cents + b.cents < p.cents)
         FROM (SELECT * FROM products WHERE category = ? ORDER BY cents LIMIT 5) p",
    )?;
    let rows = query.query_map([category], |row| {
        Ok(Offer {
            id: row.get(0)?,
            name: row.get(1)?,
            cents: row.get(2)?,
            pairs: row.get(3)?,
        })
    })?;
    rows.collect()
}

// Beside it, the function that changes the data says what it makes invalid: everything at or below
// `category:{category}`, once it has returned `Ok`.
#[invalidates(prefix = "category:{category}")]
fn set_price(shop: &Shop, category: &str, id: u32, cents: i64) -> rusqlite::Result<()> {
    shop.db.lock().unwrap().execute(
        "UPDATE products SET cents = ? WHERE id = ? AND category = ?",
        params![cents, id, category],
    )?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let shop = Shop::with_products(1_000)?;
    println!("1,000 products in SQLite, in memory\n");

    let (cold, first) = timed(|| offers(&shop, "lamps"))?;
    show("cold", cold, "ran the query", &first);

    let (hit, again) = timed(|| offers(&shop, "lamps"))?;
    show("hit", hit, "from memory", &again);
    assert_eq!(first, again);
    assert!(hit < cold / 10, "a hit is far faster than the query");

    let (all, ()) = timed(|| (0..1_000).try_for_each(|_| offers(&shop, "lamps").map(drop)))?;
    println!("  {:<6} {:>9.1?}  each of 1,000 more", "hit", all / 1_000);

    offers(&shop, "shoes")?;
    let dearest_of_these = first.last().ok_or("no offers")?;
    set_price(&shop, "lamps", dearest_of_these.id, 1)?;
    println!(
        "\n  set_price({}) invalidated `category:lamps`\n",
        dearest_of_these.name
    );

    let (fresh, changed) = timed(|| offers(&shop, "lamps"))?;
    show("fresh", fresh, "ran the query", &changed);
    assert_eq!((changed[0].id, changed[0].cents), (dearest_of_these.id, 1));

    let (other, _) = timed(|| offers(&shop, "shoes"))?;
    println!(
        "  {:<6} {other:>9.1?}  another category was left alone",
        "hit"
    );

    let stats = Cache::current().stats();
    assert_eq!((stats.hits, stats.absent, stats.invalidated), (1_002, 2, 1));
    assert_eq!((stats.loads, stats.invalidations), (3, 1));

    println!("\nstatistics");
    for (function, stats) in Cache::current().function_stats() {
        println!("  {function}");
        for line in stats.to_string().lines() {
            println!("    {line}");
        }
    }
    println!(
        "\n  a hit took {:.0} times less than the query",
        ratio(cold, all / 1_000)
    );
    if cfg!(debug_assertions) {
        println!("  (built without optimisation: try `cargo run --release --example quickstart`)");
    }
    Ok(())
}

/// How long something took, and what came of it.
fn timed<T, E>(run: impl FnOnce() -> Result<T, E>) -> Result<(Duration, T), E> {
    let start = Instant::now();
    let result = run()?;
    Ok((start.elapsed(), result))
}

fn show(what: &str, time: Duration, how: &str, offers: &[Offer]) {
    let best = &offers[0];
    let price = best.cents as f64 / 100.0;
    println!(
        "  {what:<6} {time:>9.1?}  {how}; best offer: {} at {price:.2}",
        best.name
    );
}

fn ratio(slow: Duration, fast: Duration) -> f64 {
    slow.as_secs_f64() / fast.as_secs_f64().max(1e-9)
}

impl Shop {
    fn with_products(count: u32) -> rusqlite::Result<Self> {
        let mut db = Connection::open_in_memory()?;
        db.execute_batch(
            "CREATE TABLE products (
                 id INTEGER PRIMARY KEY, name TEXT NOT NULL,
                 category TEXT NOT NULL, cents INTEGER NOT NULL)",
        )?;
        let all = db.transaction()?;
        for id in 1..=count {
            let category = CATEGORIES[id as usize % CATEGORIES.len()];
            let cents = 500 + u64::from(id).wrapping_mul(2_654_435_761) % 50_000;
            all.execute(
                "INSERT INTO products VALUES (?, ?, ?, ?)",
                params![id, format!("{category}-{id}"), category, cents as i64],
            )?;
        }
        all.commit()?;
        Ok(Shop { db: Mutex::new(db) })
    }
}
