//! Many keys in one call, over a real SQLite table: one query for what is missing, one entry for
//! each row.
//!
//! ```text
//! cargo run --example batch
//! ```

use std::cell::RefCell;
use std::collections::HashMap;

use dewar::{Cache, cached, invalidate};
use rusqlite::{Connection, params_from_iter};

thread_local! {
    /// The ids that each query asked for.
    static QUERIES: RefCell<Vec<Vec<u32>>> = const { RefCell::new(Vec::new()) };
}

/// The queries since the last question.
fn queries() -> Vec<Vec<u32>> {
    QUERIES.take()
}

#[derive(Clone, Debug, PartialEq)]
struct Product {
    name: String,
    cents: i64,
}

// In the body, `ids` holds the missing ones only. In the prefix, `{ids}` stands for one of them.
#[cached(timeout = 60, key_prefix = "product:{ids}", batch = ids, skip(db))]
fn products(db: &Connection, ids: &[u32]) -> rusqlite::Result<HashMap<u32, Product>> {
    QUERIES.with_borrow_mut(|queries| queries.push(ids.to_vec()));
    let marks = vec!["?"; ids.len()].join(", ");
    let mut query = db.prepare(&format!(
        "SELECT id, name, cents FROM products WHERE id IN ({marks})"
    ))?;
    let rows = query.query_map(params_from_iter(ids), |row| {
        let (name, cents) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, Product { name, cents }))
    })?;
    rows.collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let db = Connection::open_in_memory()?;
    db.execute_batch("CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, cents INTEGER)")?;
    for id in 1..=100_u32 {
        let row = (id, format!("product {id}"), id * 100);
        db.execute("INSERT INTO products VALUES (?, ?, ?)", row)?;
    }

    let found = products(&db, &[1, 2, 3])?;
    assert_eq!(found[&2].name, "product 2");
    assert_eq!(queries(), [[1, 2, 3]]);
    println!("products([1, 2, 3]): one query, for 1, 2 and 3");

    let found = products(&db, &[2, 3, 4, 5])?;
    assert_eq!(found.len(), 4);
    assert_eq!(queries(), [[4, 5]]);
    println!("products([2, 3, 4, 5]): one query, for 4 and 5");

    products(&db, &[5, 1, 3])?;
    assert!(queries().is_empty());
    println!("products([5, 1, 3]): no query");

    // A row is an entry of its own: one of them is changed, one of them is loaded.
    db.execute("UPDATE products SET cents = 1 WHERE id = 3", ())?;
    let id = 3;
    invalidate!(prefix = "product:{id}").wait()?;
    let found = products(&db, &[1, 2, 3])?;
    assert_eq!((found[&3].cents, found[&2].cents), (1, 200));
    assert_eq!(queries(), [[3]]);
    println!("after invalidate!(prefix = \"product:3\"): one query, for 3");

    // By call; `_` stands for the connection, which is no part of the key.
    invalidate!(products(_, &[1, 2])).wait()?;
    products(&db, &[1, 2, 3])?;
    assert_eq!(queries(), [[1, 2]]);
    println!("after invalidate!(products(_, &[1, 2])): one query, for 1 and 2");

    // What the table has not, the result has not, and nothing is stored for it.
    for _ in 0..2 {
        let found = products(&db, &[1, 999])?;
        assert_eq!(found.keys().collect::<Vec<_>>(), [&1]);
        assert_eq!(queries(), [[999]]);
    }
    println!("products([1, 999]): 999 is not there, and is asked for each time");

    println!("\n{}", Cache::current().stats());
    Ok(())
}
